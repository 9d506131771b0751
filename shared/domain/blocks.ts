import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Storage allows 50,000 committed blocks in a blob; half of it leaves room for retries and lost attempts. */
export const MAX_PLANNED_BLOCKS = 25_000;

/** A staged block as a receipt names it. `sha256` lets `verify` prove the output later. */
export const StagedBlock = z.object({ id: z.string(), bytes: z.number(), rows: z.number(), sha256: z.string() });
export type StagedBlock = z.infer<typeof StagedBlock>;

/**
 * The id of one staged block: base64 of 49 characters, one length for every block of every job. Uncommitted blocks belong to
 * the blob and not to their writer, so the id names job, lane and attempt: no two writers ever share one (S1.1, B3).
 */
export function blockId(job: string, lane: number, attempt: string, sequence: number): string {
  const owner = sha256(job).slice(0, 15);
  const writer = sha256(attempt).slice(0, 20);
  return Buffer.from(`${owner}-${pad(lane, 5)}-${writer}-${pad(sequence, 6)}`).toString('base64');
}

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

function pad(value: number, digits: number): string {
  const text = String(value).padStart(digits, '0');
  if (text.length > digits) throw new Error(`block id part ${value} needs more than ${digits} digits`);
  return text;
}

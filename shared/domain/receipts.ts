import { z } from 'zod';
import { StagedBlock } from './blocks.ts';
import { Failure, FAILURES_IN_JOB } from './job.ts';

/** What a lane has done up to a receipt. */
export const LaneTallies = z.object({
  filesDone: z.number(),
  filesFailed: z.number(),
  rows: z.number(),
  recordsFailed: z.number(),
});
export type LaneTallies = z.infer<typeof LaneTallies>;

export const NO_TALLIES: LaneTallies = { filesDone: 0, filesFailed: 0, rows: 0, recordsFailed: 0 };

/**
 * One finished slice: mini-batches [from, to) of a lane, and the staged blocks that hold their rows. Written once, at the
 * slice's end; only what a chain of receipts names ever becomes part of an output.
 */
export const Receipt = z.object({
  job: z.string(),
  lane: z.number(),
  /** sha256 of the manifest: a receipt of another plan never links. */
  plan: z.string(),
  from: z.number(),
  to: z.number(),
  attempt: z.string(),
  /** Name of the receipt that this one goes on from; null for a lane's first. */
  previous: z.string().nullable(),
  output: z.array(StagedBlock),
  errors: z.array(StagedBlock),
  /** Prediction columns; null while nothing was scored. */
  columns: z.array(z.string()).nullable(),
  /** The lane's tallies up to here. Nobody else adds: an orchestrator may have heard a ghost slice (B2). */
  tallies: LaneTallies,
  /** The slice's first failures, in order. */
  failures: z.array(Failure).max(FAILURES_IN_JOB),
});
export type Receipt = z.infer<typeof Receipt>;

/** The receipt's name carries the attempt: the copies of a redelivered slice each write their own (B3). */
export const receiptName = (receipt: Pick<Receipt, 'lane' | 'from' | 'attempt'>): string =>
  `lane-${String(receipt.lane).padStart(5, '0')}/${String(receipt.from).padStart(9, '0')}-${receipt.attempt}`;

/** Receipts that do not account for their lane. The job fails: no output is better than a wrong one. */
export class BrokenChain extends Error {
  constructor(lane: number, reason: string) {
    super(`lane ${lane}: ${reason}`);
    this.name = 'BrokenChain';
  }
}

/**
 * Walks back from a lane's last receipt to its first mini-batch and answers the receipts in order. Refuses a gap, an overlap,
 * a foreign lane, job or plan, and tallies that the blocks do not bear out.
 *
 * @param end The mini-batch that the last receipt must reach; omit it for a lane that was stopped on its way.
 */
export async function walkChain(
  expected: { job: string; plan: string; lane: number; from: number; end?: number },
  last: string,
  read: (name: string) => Promise<Receipt | undefined>,
): Promise<Receipt[]> {
  const fault = (reason: string): BrokenChain => new BrokenChain(expected.lane, reason);
  const chain: Receipt[] = [];
  let position = expected.end;
  for (let name: string | null = last; name !== null;) {
    const receipt: Receipt | undefined = await read(name);
    if (!receipt) throw fault(`receipt ${name} is gone`);
    if (receipt.job !== expected.job || receipt.lane !== expected.lane)
      throw fault(`receipt ${name} belongs to another lane`);
    if (receipt.plan !== expected.plan) throw fault(`receipt ${name} was written for another plan`);
    if (position !== undefined && receipt.to !== position)
      throw fault(`mini-batches ${receipt.to} to ${position} are ${receipt.to < position ? 'missing' : 'there twice'}`);
    if (receipt.from >= receipt.to) throw fault(`receipt ${name} covers nothing`);
    chain.push(receipt);
    position = receipt.from;
    name = receipt.previous;
  }
  if (position !== expected.from) throw fault(`mini-batches from ${expected.from} are missing`);
  chain.reverse();
  const staged = chain.reduce((rows, receipt) => rows + receipt.output.reduce((sum, block) => sum + block.rows, 0), 0);
  const told = chain.at(-1)?.tallies.rows;
  if (staged !== told) throw fault(`its blocks hold ${staged} rows, its last receipt says ${told}`);
  return chain;
}

/** What the fan-in makes of all lanes' chains, in lane order. */
export interface Linked {
  readonly output: readonly StagedBlock[];
  readonly errors: readonly StagedBlock[];
  readonly tallies: LaneTallies;
  readonly columns: readonly string[] | null;
  readonly failures: readonly Failure[];
}

/** Joins the chains. Throws when the lanes disagree on the prediction columns. */
export function link(chains: readonly (readonly Receipt[])[]): Linked {
  const receipts = chains.flat();
  let columns: readonly string[] | null = null;
  for (const receipt of receipts) {
    if (receipt.columns === null) continue;
    columns ??= receipt.columns;
    if (columns.join('\n') !== receipt.columns.join('\n'))
      throw new BrokenChain(
        receipt.lane,
        `its columns (${receipt.columns.join(', ')}) differ from the others' (${columns.join(', ')})`,
      );
  }
  const tallies = chains.reduce<LaneTallies>((sum, chain) => {
    const lane = chain.at(-1)?.tallies ?? NO_TALLIES;
    return {
      filesDone: sum.filesDone + lane.filesDone,
      filesFailed: sum.filesFailed + lane.filesFailed,
      rows: sum.rows + lane.rows,
      recordsFailed: sum.recordsFailed + lane.recordsFailed,
    };
  }, NO_TALLIES);
  return {
    output: receipts.flatMap((receipt) => receipt.output),
    errors: receipts.flatMap((receipt) => receipt.errors),
    tallies,
    columns,
    failures: receipts.flatMap((receipt) => receipt.failures).slice(0, FAILURES_IN_JOB),
  };
}

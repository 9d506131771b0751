import { isEnded, type Failure } from '../domain/job.ts';
import { JOB_MARK } from './commit-blob.ts';
import type { JobDeps } from './deps.ts';
import { ERRORS_MARK } from './list-input.ts';

/** Whether a file of these metadata is the errors file of a job that has ended: the next job on its path may replace it. */
export async function isStale(
  deps: Pick<JobDeps, 'jobs'>,
  metadata: Readonly<Record<string, string>>,
): Promise<boolean> {
  const job = metadata[JOB_MARK];
  if (metadata[ERRORS_MARK] === undefined || job === undefined) return false;
  const found = await deps.jobs.get(job);
  return found !== undefined && isEnded(found.value);
}

/** One line of the errors file, with its end. */
export const errorLine = ({ file, row, line, offset, code, reason, attempts }: Failure): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify({ file, row, line, offset, code, reason, attempts })}\n`);

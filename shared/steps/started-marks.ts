import { messageOf } from '../domain/errors.ts';
import type { JobDeps } from './deps.ts';

/**
 * Before a part of a job is touched, a row of the job's partition says so. A row and not a blob: an insert is one small request
 * that fails if the row is there, which is all that a slice needs to know of an earlier attempt that never ended.
 */
export const miniBatchPart = (lane: number, miniBatch: number): string =>
  `${String(lane).padStart(5, '0')}-${String(miniBatch).padStart(9, '0')}`;

/** One file of a mini-batch, by its place in it. */
export const filePart = (lane: number, miniBatch: number, file: number): string =>
  `${miniBatchPart(lane, miniBatch)}-${String(file).padStart(6, '0')}`;

/** An exception is an end: only the death of the process leaves a start without one. */
export async function whileStarted<T>(
  deps: Pick<JobDeps, 'jobs' | 'log'>,
  job: string,
  part: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The mark that stays costs a slower attempt; the fault itself matters more.
    await deps.jobs
      .unmark(job, part)
      .catch((fault: unknown) => deps.log.warn({ job, part, error: messageOf(fault) }, 'started mark stays'));
    throw error;
  }
}

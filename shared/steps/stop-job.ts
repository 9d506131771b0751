import { z } from 'zod';
import { Reason } from '../domain/job.ts';
import type { JobDeps } from './deps.ts';

export const StopInput = z.object({ job: z.string(), reason: Reason });
export type StopInput = z.infer<typeof StopInput>;

/** The lane that fails first writes the stop mark itself: its parent can do nothing until every lane has ended (B1). */
export async function stopJob(deps: Pick<JobDeps, 'jobs'>, { job, reason }: StopInput): Promise<{ stopped: true }> {
  await deps.jobs.stop(job, reason);
  return { stopped: true };
}

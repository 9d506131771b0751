import type { JobSpec } from '../domain/job.ts';

/** One orchestration and one receipt name each go through the job's orchestrator. */
const MAX_LANES = 256;

/**
 * Lanes of a job: instances, as many as the deployment's compute has, times what each does at a time. More lanes than an instance
 * has slots would only stand in the way of other jobs, and of each other.
 */
export function laneLimit(
  { settings, maxInstances = settings.instanceCount }: Pick<JobSpec, 'settings' | 'maxInstances'>,
  slots: number,
): number {
  const instances = Math.max(1, Math.min(settings.instanceCount, maxInstances));
  return Math.min(MAX_LANES, instances * Math.min(settings.maxConcurrencyPerInstance, slots));
}

import { conflict, notFound } from '../domain/errors.ts';
import { isEnded, type JobRecord } from '../domain/job.ts';
import type { Delegations } from './identity/delegations.ts';
import type { Clock } from './ports.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import { viewJob, type JobView, type ViewDeps } from './job-view.ts';

export const CANCELED = { code: 'Canceled', message: 'The job was cancelled on request.' };

export interface CancelDeps extends ViewDeps {
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly delegations: Delegations;
}

/** Asks a job to stop: lanes look at the mark between mini-batches and end by themselves. Again: nothing new. */
export async function cancelJob(deps: CancelDeps, name: string): Promise<JobView> {
  // The record first: whoever then ends the job for the mark must see that it was the user's wish.
  const record = await deps.jobs.transition(name, (current) =>
    current.cancelRequested
      ? undefined
      : { ...current, cancelRequested: true, cancelRequestedAt: new Date(deps.clock.now()).toISOString() },
  );
  if (!record) throw notFound(`There is no job '${name}'.`);
  if (isEnded(record)) {
    if (record.state !== 'canceled') throw conflict(`Job '${name}' has already ended: ${record.state}.`);
  } else {
    await deps.jobs.stop(name, CANCELED);
    await endAccess(deps, record);
  }
  const view = await viewJob(deps, name);
  if (!view) throw notFound(`There is no job '${name}'.`);
  return view;
}

/** A cancelled job has no use for its invoker's rights, unless its fan-in began, which must learn whether the output lies there. */
async function endAccess({ jobs, delegations }: CancelDeps, { name, state }: JobRecord): Promise<void> {
  if (state === 'committing') return;
  const delegation = (await jobs.spec(name))?.delegation;
  if (delegation !== undefined) await delegations.remove(delegation);
}

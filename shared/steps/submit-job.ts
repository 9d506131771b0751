import { conflict } from '../domain/errors.ts';
import type { JobRecord, JobSpec } from '../domain/job.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import { tellSubmitted } from './job-telemetry.ts';
import type { Orchestrations } from './ports.ts';

export interface SubmitDeps {
  readonly jobs: Jobs;
  readonly orchestrations: Orchestrations;
}

/** A job and where it stands; `created: false` when it was there before. */
export interface SubmittedJob {
  readonly spec: JobSpec;
  readonly record: JobRecord;
  readonly created: boolean;
}

/**
 * Stores a job and starts its orchestration. The same name and request again answers the job that is there (and starts it, if
 * the first attempt died between the two); the same name for another request is a 409.
 */
export async function submitJob(deps: SubmitDeps, spec: JobSpec): Promise<SubmittedJob> {
  const stored = await deps.jobs.create(spec);
  if (!stored.created && stored.spec.requestHash !== spec.requestHash)
    throw conflict(`A job '${spec.name}' was already made from another request with the same id.`);
  tellSubmitted('scoring', stored.spec, stored.created);
  if (stored.record.state === 'accepted') await deps.orchestrations.start(spec.name);
  return stored;
}

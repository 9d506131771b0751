import { z } from 'zod';
import { ApiError } from '../domain/errors.ts';
import {
  generationOf,
  isEnded,
  Reason,
  Totals,
  type EndedJob,
  type Failure,
  type JobRecord,
  type JobSpec,
} from '../domain/job.ts';
import type { Target } from '../domain/plan.ts';
import { keepLog } from './artifact-store.ts';
import { reservationOf } from './claim-output.ts';
import { JOB_MARK, TOTALS_MARK } from './commit-blob.ts';
import type { JobDeps } from './deps.ts';
import { writtenUri } from './job-address.ts';
import { outputBlobs } from './job-storage.ts';
import { logLine, printToJob } from './job-log.ts';
import { tellScoringEnded, tellWait } from './job-telemetry.ts';
import { outputTarget } from './output-target.ts';

export type Ending = {
  readonly totals: Totals | null;
  readonly failures: readonly Failure[];
  readonly errorsUri: string | null;
} & ({ readonly reason: Reason } | { readonly outputUri: string });

/** How a job ended; `over`: it has not, because it has gone to another generation. */
export type EndState = EndedJob['state'] | 'over';

/**
 * Moves a job to its end, which is never left, and frees its output path. Only its present generation can. Answers how the job
 * ended, now or before. With `seen`, the record as its caller has just read it, the log's last lines take no look of their own.
 */
export async function endJob(
  deps: JobDeps,
  job: string,
  generation: number,
  ending: Ending,
  seen?: JobRecord,
): Promise<EndState> {
  const endedAt = new Date(deps.clock.now()).toISOString();
  await printEnd(deps, seen ?? (await deps.jobs.get(job))?.value, generation, ending, endedAt);
  let ours: JobRecord | undefined;
  const record = await deps.jobs.transition(job, (current) => {
    ours = generationOf(current) === generation ? endedRecord(current, ending, endedAt) : undefined;
    return ours;
  });
  if (!record) throw new Error(`job ${job} is gone`);
  if (!isEnded(record)) return 'over';
  const spec = await deps.jobs.spec(job);
  if (spec) {
    if (record === ours) {
      tellScoringEnded(spec, record, generation);
      await tellWait(deps, spec);
    }
    await release(deps, spec);
    // Nothing is left for the sweeper to do.
    await deps.jobs.close(job);
  }
  deps.log.info(
    { job, state: record.state, ...record.totals },
    record.state === 'completed' ? 'job completed' : record.reason.message,
  );
  return record.state;
}

/** The log's last lines, before the state changes: who reads or downloads the log of an ended job must find them. */
async function printEnd(
  deps: JobDeps,
  current: JobRecord | undefined,
  generation: number,
  ending: Ending,
  endedAt: string,
): Promise<void> {
  if (!current || isEnded(current) || generationOf(current) !== generation) return;
  const { name: job, state } = endedRecord(current, ending, endedAt);
  const line =
    'reason' in ending
      ? logLine(deps.clock.now(), 'error', `job ${state}: ${ending.reason.message}`, { code: ending.reason.code })
      : logLine(deps.clock.now(), 'info', `job ${state}`, { output: ending.outputUri });
  const facts = { ...ending.totals, errors: ending.errorsUri };
  await printToJob(
    deps,
    job,
    [line, logLine(deps.clock.now(), 'info', 'totals', facts)].slice(0, ending.totals ? 2 : 1),
  );
  await keepLog(deps, job);
}

/** Frees what a job held that has ended: its output path, its place among the running ones, and the access that its invoker lent. */
export async function releaseOutput(deps: JobDeps, job: string): Promise<void> {
  const spec = await deps.jobs.spec(job);
  if (spec) await release(deps, spec);
}

async function release(deps: JobDeps, spec: JobSpec): Promise<void> {
  await Promise.all([
    deps.jobs.leave(spec.name, spec.places ?? []),
    spec.delegation !== undefined && deps.delegations.remove(spec.delegation),
    releasePaths(deps, spec),
  ]);
}

async function releasePaths(deps: JobDeps, spec: JobSpec): Promise<void> {
  try {
    const targets = Object.values(await outputTarget(deps, spec));
    await Promise.all(targets.map(async (target) => deps.jobs.release(await reservationOf(deps, target), spec.name)));
  } catch (error) {
    // Its datastore is gone. Whoever makes it again may write there: a reservation of an ended job is taken over.
    if (!(error instanceof ApiError)) throw error;
  }
}

/** The record of a job that ends now; one that was to be cancelled is. */
export function endedRecord(current: JobRecord, ending: Ending, endedAt: string): JobRecord {
  const { name, endpoint, deployment, createdAt, cancelRequested } = current;
  const { totals } = ending;
  const startedAt = 'startedAt' in current ? current.startedAt : null;
  const base = {
    name,
    endpoint,
    deployment,
    createdAt,
    cancelRequested,
    startedAt,
    endedAt,
    totals,
    failures: [...ending.failures],
    errorsUri: ending.errorsUri,
  };
  if ('outputUri' in ending) return { state: 'completed', ...base, outputUri: ending.outputUri };
  return { state: cancelRequested ? 'canceled' : 'failed', ...base, reason: ending.reason };
}

export interface CommittedOutput {
  readonly outputUri: string;
  readonly errorsUri: string | null;
  readonly totals: Totals;
}

export const SettleInput = z.object({ job: z.string(), reason: Reason, generation: z.number().optional() });
export type SettleInput = z.infer<typeof SettleInput>;

export const SettleAnswer = z.object({ state: z.enum(['completed', 'failed', 'canceled', 'over']) });
export type SettleAnswer = z.infer<typeof SettleAnswer>;

/**
 * Ends a job that could not go on. One whose fan-in began is looked at first: if its output lies there, its commit succeeded
 * and only the answer was lost.
 */
export async function settleJob(deps: JobDeps, input: SettleInput): Promise<SettleAnswer> {
  const { job, reason } = input;
  const found = await deps.jobs.get(job);
  const committed = found?.value.state === 'committing' ? await committedOutput(deps, job) : undefined;
  const ending = committed ? { ...committed, failures: [] } : { reason, totals: null, failures: [], errorsUri: null };
  return { state: await endJob(deps, job, generationOf(input), ending) };
}

/** What lies at the output path of a job, if the job has committed it. */
export async function committedOutput(deps: JobDeps, job: string): Promise<CommittedOutput | undefined> {
  const { manifest } = await deps.files.plan(job);
  const { output, errors } = manifest;
  const blobs = await outputBlobs(deps, manifest, output.datastore);
  const ours = async (target: Target) => {
    const found = await blobs.head({ container: target.container, name: target.blob });
    return found?.metadata[JOB_MARK] === job ? found.metadata : undefined;
  };
  const metadata = await ours(output);
  if (!metadata) return undefined;
  return {
    outputUri: await writtenUri(deps, output),
    errorsUri: (await ours(errors)) ? await writtenUri(deps, errors) : null,
    totals: Totals.parse(JSON.parse(metadata[TOTALS_MARK] ?? 'null')),
  };
}

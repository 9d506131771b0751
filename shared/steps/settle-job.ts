import { z } from 'zod';
import { isEnded, Reason, Totals, type EndedJob, type Failure, type JobRecord } from '../domain/job.ts';
import type { Target } from '../domain/plan.ts';
import { dataUri } from '../domain/uri.ts';
import { JOB_MARK, TOTALS_MARK } from './commit-blob.ts';
import { datastoreOf, type JobDeps } from './deps.ts';
import { outputTarget } from './output-target.ts';
import { reservationOf } from './plan-job.ts';

type Ending = {
  readonly totals: Totals | null;
  readonly failures: readonly Failure[];
  readonly errorsUri: string | null;
} & ({ readonly reason: Reason } | { readonly outputUri: string });

/** Moves a job to its end, which is never left, and frees its output path. Answers how the job ended, now or before. */
export async function endJob(deps: JobDeps, job: string, ending: Ending): Promise<EndedJob['state']> {
  const endedAt = new Date(deps.clock.now()).toISOString();
  const record = await deps.jobs.transition(job, (current) => endedRecord(current, ending, endedAt));
  if (!record || !isEnded(record)) throw new Error(`job ${job} could not be ended`);
  const spec = await deps.jobs.spec(job);
  if (spec)
    for (const target of Object.values(outputTarget(deps, spec))) await deps.jobs.release(reservationOf(target), job);
  deps.log.info(
    { job, state: record.state, ...record.totals },
    record.state === 'completed' ? 'job completed' : record.reason.message,
  );
  return record.state;
}

function endedRecord(current: JobRecord, ending: Ending, endedAt: string): JobRecord {
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

export const SettleInput = z.object({ job: z.string(), reason: Reason });
export type SettleInput = z.infer<typeof SettleInput>;

export const SettleAnswer = z.object({ state: z.enum(['completed', 'failed', 'canceled']) });
export type SettleAnswer = z.infer<typeof SettleAnswer>;

/**
 * Ends a job that could not go on. One whose fan-in began is looked at first: if its output lies there, its commit succeeded
 * and only the answer was lost.
 */
export async function settleJob(deps: JobDeps, { job, reason }: SettleInput): Promise<SettleAnswer> {
  const found = await deps.jobs.get(job);
  const committed = found?.value.state === 'committing' ? await committedEnding(deps, job) : undefined;
  return { state: await endJob(deps, job, committed ?? { reason, totals: null, failures: [], errorsUri: null }) };
}

async function committedEnding(deps: JobDeps, job: string): Promise<Ending | undefined> {
  const { output, errors } = (await deps.files.plan(job)).manifest;
  const { blobs } = datastoreOf(deps, output.datastore);
  const ours = async (target: Target) => {
    const found = await blobs.head({ container: target.container, name: target.blob });
    return found?.metadata[JOB_MARK] === job ? found.metadata : undefined;
  };
  const metadata = await ours(output);
  if (!metadata) return undefined;
  return {
    outputUri: dataUri({ datastore: output.datastore, path: output.blob }),
    errorsUri: (await ours(errors)) ? dataUri({ datastore: errors.datastore, path: errors.blob }) : null,
    totals: Totals.parse(JSON.parse(metadata[TOTALS_MARK] ?? 'null')),
    failures: [],
  };
}

import { messageOf } from '../domain/errors.ts';
import { generationOf, isEnded, isLost, type JobRecord, type OrchestrationState } from '../domain/job.ts';
import type { OpenJobs } from '../storage/registry/jobs-port.ts';
import { inScope } from '../telemetry/job-scope.ts';
import { CANCELED } from './cancel-job.ts';
import { askAfter } from './lost-job.ts';
import { giveUp, resumeJob, startGeneration, type ControlDeps } from './resume-job.ts';
import { lookAfterPipeline, type SweepPipelineDeps } from './pipeline/sweep-pipeline.ts';
import { releaseOutput } from './settle-job.ts';
import { settleLostFanIn } from './settle-fan-in.ts';
import { WAIT } from './sweep-times.ts';

export interface SweepDeps extends ControlDeps, SweepPipelineDeps {
  /** How long the histories of orchestrations are kept, in days. */
  readonly retentionDays: number;
}

/** Jobs that are looked at side by side. */
const PAGE = 20;

/** Jobs that one sweep resumes; the others wait for the next one. */
const MOST_SILENT = 200;

/** A job that gave no sign of life since `since`, and would be stuck if nothing else were queued. */
interface Silent {
  readonly record: JobRecord;
  readonly since: number;
}

/** What a sweep learns on its way. */
interface Sweep {
  /** Lanes of all jobs that are being scored: each may be queued before any other. */
  lanes: number;
  readonly silent: Silent[];
}

/**
 * Looks after every job that has not ended: starts those that nobody started, ends those that nobody runs, gives stuck ones to
 * their next generation, and ends those that do not stop when told to. Every change is a conditional write, so two sweeps at
 * once do no harm; a fault of one job is logged and leaves the others alone. Reads only open jobs, a page at a time.
 */
export async function sweepJobs(deps: SweepDeps): Promise<void> {
  const sweep: Sweep = { lanes: 0, silent: [] };
  let continuation: string | undefined;
  do {
    const page: OpenJobs = await deps.jobs.open(PAGE, continuation);
    await Promise.all(page.jobs.map((job) => guarded(deps, job.name, () => lookAfter(deps, sweep, job))));
    continuation = page.continuation;
  } while (continuation !== undefined);

  const patience = WAIT.silence + queueTime(deps, sweep.lanes);
  for (const { record, since } of sweep.silent) {
    // While storage was too busy for this process it took no signs of life of others, either.
    const silent = deps.clock.now() - since - deps.storageWaits.since(since);
    if (silent < patience) continue;
    const message = `The job made no progress for ${Math.round(silent / 1000)} s.`;
    await guarded(deps, record.name, () => resumeJob(deps, record, { code: 'NoProgress', message }));
  }
  await guarded(deps, undefined, () => purge(deps));
}

async function guarded(deps: SweepDeps, job: string | undefined, work: () => Promise<void>): Promise<void> {
  try {
    await inScope(job === undefined ? {} : { job }, work);
  } catch (error) {
    deps.log.error({ job, error: messageOf(error) }, 'sweep failed');
  }
}

/** How long a slice may wait behind those of all lanes; twice, because mini-batches overrun their slice. */
const queueTime = (deps: SweepDeps, lanes: number): number =>
  (2 * Math.max(0, lanes - deps.slots) * deps.sliceMs) / deps.slots;

async function lookAfter(deps: SweepDeps, sweep: Sweep, { name, createdAt }: OpenJobs['jobs'][number]): Promise<void> {
  const since = (iso: string): number => deps.clock.now() - Date.parse(iso);
  const open = (await deps.jobs.get(name))?.value;
  if (!open) {
    if (await lookAfterPipeline(deps, name)) return;
    if (since(createdAt) >= WAIT.orphan) await deps.jobs.close(name);
    return;
  }
  const { record, orchestration } = isEnded(open)
    ? { record: open, orchestration: 'ended' as const }
    : await askAfter(deps, open);
  if (isEnded(record)) {
    await releaseOutput(deps, name);
    await deps.jobs.close(name);
    if (!isEnded(open)) deps.log.warn({ job: name, orchestration }, 'job ended: its orchestration is lost');
    return;
  }
  if (record.state === 'committing') return settleLostFanIn(deps, record, orchestration);
  if (record.state === 'scoring') sweep.lanes += record.lanes;

  const startedAt = record.state === 'accepted' ? null : record.startedAt;
  if (startedAt !== null && since(startedAt) >= WAIT.blocks)
    return ended(deps, record, {
      code: 'OutputExpired',
      message: 'The job took longer than 6 days: storage drops its staged output after 7.',
    });
  if (record.cancelRequested) {
    // Whoever cancelled may have died before the mark was written.
    await deps.jobs.stop(name, CANCELED);
    if (since(record.cancelRequestedAt ?? createdAt) >= WAIT.cancel) await ended(deps, record, CANCELED);
    return;
  }
  await keepGoing(deps, sweep, record, orchestration);
}

async function ended(deps: SweepDeps, record: JobRecord, reason: { code: string; message: string }): Promise<void> {
  await giveUp(deps, record, reason);
  deps.log.warn({ job: record.name, reason: reason.message }, 'job ended by the sweeper');
}

/** A job that is to go on: its orchestration is started, or replaced, or noted as silent. */
async function keepGoing(
  deps: SweepDeps,
  sweep: Sweep,
  record: JobRecord,
  orchestration: OrchestrationState,
): Promise<void> {
  if (isLost(record, orchestration) || orchestration === 'suspended') return;
  const waitsSince = Date.parse(record.resumedAt ?? record.createdAt);
  if (orchestration === 'absent') {
    if (deps.clock.now() - waitsSince < WAIT.start) return;
    if (record.state === 'resuming') await startGeneration(deps, record);
    else await startAgain(deps, record);
    deps.log.warn({ job: record.name, generation: generationOf(record) }, 'job started: its orchestration was absent');
    return;
  }
  if (orchestration === 'failed') {
    const message = 'The orchestration of the job failed.';
    return resumeJob(deps, record, { code: 'OrchestrationFailed', message });
  }
  if (sweep.silent.length >= MOST_SILENT) return;
  const since = await lastSign(deps, record, waitsSince);
  if (deps.clock.now() - since >= WAIT.silence) sweep.silent.push({ record, since });
}

/** Notes when, so that a job that waited long for its start is not taken for stuck at once. */
async function startAgain(deps: SweepDeps, { name }: JobRecord): Promise<void> {
  const resumedAt = new Date(deps.clock.now()).toISOString();
  const record = await deps.jobs.transition(name, (current) =>
    current.state === 'accepted' ? { ...current, resumedAt } : undefined,
  );
  if (record?.state === 'accepted') await deps.orchestrations.start(name);
}

/** When the job last showed that it is alive; planning shows nothing until it is done, so it gets its activity's time. */
async function lastSign(deps: SweepDeps, record: JobRecord, waitsSince: number): Promise<number> {
  const started = 'startedAt' in record && record.startedAt !== null ? Date.parse(record.startedAt) : waitsSince;
  const since = Math.max(started, waitsSince);
  if (record.state === 'planning') return since + WAIT.activity;
  const rows = record.state === 'scoring' ? await deps.jobs.progress(record.name) : [];
  return rows.reduce((latest, row) => Math.max(latest, Date.parse(row.updatedAt)), since);
}

async function purge(deps: SweepDeps): Promise<void> {
  if (!(await deps.jobs.due('purge', deps.clock.now(), WAIT.purge))) return;
  const purged = await deps.orchestrations.purge(new Date(deps.clock.now() - deps.retentionDays * 86_400_000));
  await deps.delegations.removeExpired();
  if (purged > 0) deps.log.info({ purged, retentionDays: deps.retentionDays }, 'histories purged');
}

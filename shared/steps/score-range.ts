import { randomUUID } from 'node:crypto';
import { FAILURES_IN_JOB, type Failure, type Reason } from '../domain/job.ts';
import { JobFault, messageOf } from '../domain/errors.ts';
import { filesOf } from '../domain/plan.ts';
import { NO_TALLIES, type KnownColumns, type Receipt } from '../domain/receipts.ts';
import { scorerOf } from '../domain/scorer.ts';
import type { Engine } from '../scoring/engine.ts';
import { blockWriter } from './block-writer.ts';
import { datastoreOf, type Datastore, type JobDeps } from './deps.ts';
import type { Plan } from './job-files.ts';
import { failureText, jobLog, type JobLog } from './job-log.ts';
import { signsOfLife, type SignsOfLife } from './lane-report.ts';
import { codeScoring } from './score-code.ts';
import { fileScoring } from './score-files.ts';
import { scoreMiniBatch } from './score-mini-batch.ts';
import type { SliceAnswer } from './score-slice.ts';
import { checkpoint, type SliceWork } from './slice-work.ts';
import { outputStaging } from './stage-output-files.ts';
import { workFolder } from './work-folder.ts';

/** Mini-batches [from, to) of a lane. */
export interface Range {
  readonly plan: Plan;
  readonly generation: number;
  readonly lane: number;
  readonly from: number;
  readonly to: number;
  /** The receipt that ends at `from`. */
  readonly receipt: string | null;
}

/** A slice's time when lanes wait for their turn. */
const CROWDED_SLICE_MS = 2000;

/** How often a slice looks whether the job is to stop, and tells how far it is. */
const LOOK_EVERY_MS = 500;

/** Scores a range until its end or until the slice's time is over, and writes one receipt for what is finished. */
export async function scoreRange(deps: JobDeps, range: Range, score = scoreMiniBatch): Promise<SliceAnswer> {
  return withJobLog(deps, range, (log) => scoreAndReceipt(deps, range, log, score));
}

/** What a part of a slice prints is added to the job's log at its end, also when it throws, and then why. */
export async function withJobLog<T>(deps: JobDeps, range: Range, part: (log: JobLog) => Promise<T>): Promise<T> {
  const log = jobLog(deps, range.plan.manifest);
  try {
    return await part(log);
  } catch (error) {
    log.error({ lane: range.lane, from: range.from, error: messageOf(error) }, 'slice failed and is tried again');
    throw error;
  } finally {
    await log.flush();
  }
}

async function scoreAndReceipt(
  deps: JobDeps,
  range: Range,
  log: JobLog,
  score: typeof scoreMiniBatch,
): Promise<SliceAnswer> {
  const { plan, lane, from } = range;
  const { job } = plan.manifest;
  const attempt = randomUUID();
  const previous = await receiptBefore(deps, job, range.receipt);
  const before = previous?.tallies ?? NO_TALLIES;
  const stores = {
    input: await datastoreOf(deps, plan.manifest.inputDatastore),
    output: await datastoreOf(deps, plan.manifest.output.datastore),
  };
  const lease = await deps.engine(scorerOf(plan.manifest), (line) => log.info({}, line));
  const { engine } = lease;
  const work = sliceWork(deps, stores, plan, { lane, attempt, previous, engine, log });
  const life = signsOfLife(deps, job, { lane, position: from, tallies: before, receipt: range.receipt });
  let reached: { position: number; reason: Reason | null };
  try {
    reached = await run(deps, range, work, life, score);
  } finally {
    life.end();
    await work.scoring.end();
    lease.release();
  }

  if (reached.position === from)
    return { ok: false, done: false, position: from, receipt: range.receipt, reason: reached.reason };
  const receipt: Receipt = {
    job,
    lane,
    plan: plan.hash,
    from,
    to: reached.position,
    attempt,
    previous: range.receipt,
    output: [...(await work.output.finish())],
    errors: [...(await work.errors.finish())],
    columns: work.known.columns && [...work.known.columns],
    ...(work.known.columnsOf !== undefined && { columnsOf: work.known.columnsOf }),
    ...(!work.scoring.rowColumns && { rowColumns: false }),
    tallies: { ...work.tallies },
    failures: work.failures.slice(0, FAILURES_IN_JOB),
    ...(work.files.length > 0 && { files: work.files }),
  };
  const name = await deps.files.writeReceipt(receipt);
  await life.finished(reached.position, work.tallies, name);
  for (const failure of work.failures) log.warn({}, failureText(failure));
  const named = work.failures.filter(({ row }) => row === undefined).length;
  const unnamed = work.tallies.filesFailed - before.filesFailed - named;
  if (unnamed > 0) log.warn({ files: unnamed }, 'more files of this slice failed; the errors file names them');
  log.info({ lane, from, to: reached.position, rows: work.tallies.rows - before.rows }, 'slice scored');
  return {
    ok: reached.reason === null,
    done: reached.position === range.to,
    position: reached.position,
    receipt: name,
    reason: reached.reason,
  };
}

/** A slice goes on from the tallies and columns of the receipt before it. */
async function receiptBefore(deps: JobDeps, job: string, name: string | null): Promise<Receipt | undefined> {
  if (name === null) return undefined;
  const previous = await deps.files.receipt(job, name);
  if (!previous) throw new Error(`receipt ${name} of job ${job} is gone`);
  return previous;
}

interface SliceStart {
  readonly lane: number;
  readonly attempt: string;
  readonly previous: Receipt | undefined;
  readonly engine: Engine;
  readonly log: JobLog;
}

function sliceWork(
  deps: JobDeps,
  stores: { readonly input: Datastore; readonly output: Datastore },
  { manifest }: Plan,
  { lane, attempt, previous, engine, log }: SliceStart,
): SliceWork {
  const owner = { job: manifest.job, lane, attempt };
  const writerTo = (target: typeof manifest.output) =>
    blockWriter(
      {
        blobs: stores.output.blobs,
        ref: { container: target.container, name: target.blob },
        blockBytes: manifest.blockBytes,
      },
      owner,
    );
  const known: KnownColumns = engine.columns
    ? { columns: engine.columns }
    : { columns: previous?.columns ?? null, columnsOf: previous?.columnsOf };
  const scoring =
    engine.kind === 'file'
      ? fileScoring(engine)
      : codeScoring({
          engine,
          folder: workFolder(deps.workFolder, deps.log),
          staging: outputStaging(stores.output.blobs, manifest, owner),
        });
  return {
    manifest,
    input: stores.input.blobs,
    scoring,
    output: writerTo(manifest.output),
    errors: writerTo(manifest.errors),
    tallies: { ...(previous?.tallies ?? NO_TALLIES) },
    failures: new Array<Failure>(),
    files: [],
    known,
    log,
  };
}

async function run(
  deps: JobDeps,
  { plan, generation, lane, from, to }: Range,
  work: SliceWork,
  life: SignsOfLife,
  score: typeof scoreMiniBatch,
): Promise<{ position: number; reason: Reason | null }> {
  const until = deps.clock.now() + sliceMs(deps, plan);
  let lookedAt = deps.clock.now();
  let failedBefore = work.tallies.filesFailed;
  for (let position = from; position < to;) {
    const firstRows = work.tallies.rows === 0;
    if (position + 1 < to) work.scoring.expect(filesOf(plan.manifest, position + 1));
    const fault = await jobFault(work, () => score(work, position));
    if (fault) {
      await deps.jobs.stop(plan.manifest.job, fault);
      return { position, reason: fault };
    }
    position++;
    const now = deps.clock.now();
    const newFailures = work.tallies.filesFailed > failedBefore;
    failedBefore = work.tallies.filesFailed;
    if (newFailures || now - lookedAt >= LOOK_EVERY_MS || (firstRows && work.tallies.rows > 0)) {
      lookedAt = now;
      await life.scored(position, work.tallies);
      const stop =
        (await deps.jobs.stopped(plan.manifest.job, generation)) ??
        (newFailures ? await overThreshold(deps, plan, lane, work) : undefined);
      if (stop) return { position, reason: stop };
    }
    if (now >= until) return { position, reason: null };
  }
  return { position: to, reason: null };
}

/** Scores a mini-batch. Answers why the job cannot go on; then nothing of the mini-batch stays. */
async function jobFault(work: SliceWork, score: () => Promise<void>): Promise<Reason | undefined> {
  const undo = checkpoint(work);
  try {
    await score();
    undo.keep();
    return undefined;
  } catch (error) {
    if (!(error instanceof JobFault)) throw error;
    undo.rollback();
    return { code: error.code, message: error.message };
  }
}

/** A job with more lanes than can score at once takes shorter turns, so that none waits long (H5). */
export const sliceMs = (deps: JobDeps, { manifest }: Plan): number =>
  manifest.lanes.length > deps.scoringThreads ? Math.min(deps.sliceMs, CROWDED_SLICE_MS) : deps.sliceMs;

/** Failed files of all lanes against the threshold; the fan-in counts again from the receipts. */
async function overThreshold(
  deps: JobDeps,
  { manifest }: Plan,
  lane: number,
  work: SliceWork,
): Promise<Reason | undefined> {
  if (manifest.settings.errorThreshold < 0) return undefined;
  const others = (await deps.jobs.progress(manifest.job)).filter((progress) => progress.lane !== lane);
  const failed = others.reduce((sum, progress) => sum + progress.filesFailed, work.tallies.filesFailed);
  if (failed <= manifest.settings.errorThreshold) return undefined;
  const reason = thresholdReason(failed, manifest.settings.errorThreshold);
  await deps.jobs.stop(manifest.job, reason);
  return reason;
}

export const thresholdReason = (failed: number, threshold: number): Reason => ({
  code: 'ErrorThresholdExceeded',
  message: `${failed} ${failed === 1 ? 'file' : 'files'} failed; the error threshold is ${threshold}.`,
});

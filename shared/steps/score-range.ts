import { JobFault, messageOf } from '../domain/errors.ts';
import { FAILURES_IN_JOB, type Reason } from '../domain/job.ts';
import { filesOf } from '../domain/mini-batches.ts';
import type { Receipt } from '../domain/receipts.ts';
import type { JobDeps } from './deps.ts';
import type { Plan } from './job-files.ts';
import { failureText, jobLog, type JobLog } from './job-log.ts';
import { signsOfLife, type SignsOfLife } from './lane-report.ts';
import { openSlice, type LoadedRange, type Range } from './open-slice.ts';
import { scoreMiniBatch } from './score-mini-batch.ts';
import type { SliceAnswer } from './score-slice.ts';
import { countSlice, inMiniBatchSpan } from './score-telemetry.ts';
import { checkpoint, JobStopped, type MiniBatchesToCome, type SliceWork } from './slice-work.ts';

/** How much longer a slice may take to cover what it must: its activity's time is limited. */
const LONGEST_SLICE_MS = 10 * 60_000;

/** How often a slice looks whether the job is to stop, and tells how far it is. */
const LOOK_EVERY_MS = 500;

/** Scores a range until its end or until the slice's time is over, and writes one receipt for what is finished. */
export async function scoreRange(deps: JobDeps, range: LoadedRange, score = scoreMiniBatch): Promise<SliceAnswer> {
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
  range: LoadedRange,
  log: JobLog,
  score: typeof scoreMiniBatch,
): Promise<SliceAnswer> {
  const { plan, lane, from } = range;
  const { job } = plan.manifest;
  const openedAt = Date.now();
  const { attempt, before, work, close } = await openSlice(deps, range, log);
  const life = signsOfLife(deps, job, { lane, position: from, tallies: before, receipt: range.receipt });
  let reached: { position: number; reason: Reason | null };
  try {
    reached = await run(deps, range, work, life, score);
  } finally {
    life.end();
    await close();
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
    ...(work.partial.length > 0 && { partial: [...work.partial] }),
    failures: work.failures.slice(0, FAILURES_IN_JOB),
    ...(log.printedBytes() > 0 && { printed: log.printedBytes() }),
    ...(work.files.length > 0 && { files: work.files }),
  };
  const name = await deps.files.writeReceipt(receipt);
  countSlice(work, before, receipt);
  for (const failure of work.failures) log.warn({}, failureText(failure));
  const named = work.failures.filter(({ row }) => row === undefined).length;
  const unnamed = work.tallies.filesFailed - before.filesFailed - named;
  if (unnamed > 0) log.warn({ files: unnamed }, 'more files of this slice failed; the errors file names them');
  const waited = Math.round(deps.storageWaits.since(openedAt) / 1000);
  if (waited > 0) log.warn({ lane, seconds: waited }, 'storage was too busy for a while: calls waited');
  log.info({ lane, from, to: reached.position, rows: work.tallies.rows - before.rows }, 'slice scored');
  await Promise.all([life.finished(reached.position, work.tallies, name), log.flush()]);
  return {
    ok: reached.reason === null,
    done: reached.position === range.to,
    position: reached.position,
    receipt: name,
    reason: reached.reason,
  };
}

async function run(
  deps: JobDeps,
  { plan, generation, lane, from, to }: Range,
  work: SliceWork,
  life: SignsOfLife,
  score: typeof scoreMiniBatch,
): Promise<{ position: number; reason: Reason | null }> {
  const { job, miniBatchesPerSlice = 1 } = plan.manifest;
  const startedAt = deps.clock.now();
  let sliceMs = await deps.sliceTime.now(deps);
  let lookedAt = startedAt;
  let endedAt = startedAt;
  let failedBefore = work.tallies.filesFailed;
  for (let position = from; position < to;) {
    const firstRows = work.tallies.rows === 0;
    const further = deps.sliceTime.miniBatchesIn(job, startedAt + sliceMs - endedAt);
    const end = Math.min(to, Math.max(position + further, from + miniBatchesPerSlice));
    // What no mini-batch of this slice needs is not read ahead: the slice would throw it away.
    work.scoring.expect(miniBatchesFrom(plan, position + 1, end));
    const fault = await inMiniBatchSpan(work, position, () => jobFault(work, () => score(work, position)));
    if (fault) {
      const reason = { code: fault.code, message: fault.message };
      // A generation that is over must not stop the next one.
      if (!(fault instanceof JobStopped)) await deps.jobs.stop(job, reason);
      return { position, reason };
    }
    position++;
    const now = deps.clock.now();
    deps.sliceTime.scored(job, now - endedAt);
    endedAt = now;
    const newFailures = work.tallies.filesFailed > failedBefore;
    failedBefore = work.tallies.filesFailed;
    // At its end the receipt tells it all; other lanes must hear at once of files that failed.
    const isDue = position < to && (now - lookedAt >= LOOK_EVERY_MS || (firstRows && work.tallies.rows > 0));
    if (newFailures || isDue) {
      lookedAt = now;
      sliceMs = await deps.sliceTime.now(deps);
      await life.scored(position, work.tallies);
      const stop =
        (await deps.jobs.stopped(job, generation)) ??
        (newFailures ? await overThreshold(deps, plan, lane, work) : undefined);
      if (stop) return { position, reason: stop };
    }
    const ranMs = now - startedAt;
    const covered = position - from >= miniBatchesPerSlice || ranMs >= sliceMs + LONGEST_SLICE_MS;
    // The next one's files are here already, and it will not take long.
    const ahead = position < end && ranMs < 2 * sliceMs;
    if (ranMs >= sliceMs && covered && !ahead) return { position, reason: null };
  }
  return { position: to, reason: null };
}

const miniBatchesFrom = ({ manifest }: Plan, from: number, to: number): MiniBatchesToCome => ({
  *[Symbol.iterator]() {
    for (let position = from; position < to; position++) yield filesOf(manifest, position);
  },
});

/** Scores a mini-batch. Answers why the job cannot go on; then nothing of the mini-batch stays. */
async function jobFault(work: SliceWork, score: () => Promise<void>): Promise<JobFault | undefined> {
  const undo = checkpoint(work);
  try {
    await score();
    undo.keep();
    return undefined;
  } catch (error) {
    if (!(error instanceof JobFault)) throw error;
    undo.rollback();
    return error;
  }
}

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

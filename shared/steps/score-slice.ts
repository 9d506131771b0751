import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { FAILURES_IN_JOB, Reason, type Failure } from '../domain/job.ts';
import type { Lane } from '../domain/plan.ts';
import { NO_TALLIES, type LaneTallies, type Receipt } from '../domain/receipts.ts';
import { blockWriter } from './block-writer.ts';
import { datastoreOf, type JobDeps } from './deps.ts';
import type { Plan } from './job-files.ts';
import { jobLog } from './job-log.ts';
import { scoreMiniBatch, type SliceWork } from './score-mini-batch.ts';

export const SliceInput = z.object({
  job: z.string(),
  lane: z.number(),
  /** Mini-batch to go on from; null for the lane's first. */
  position: z.number().nullable(),
  /** The receipt that ends at `position`. */
  receipt: z.string().nullable(),
});
export type SliceInput = z.infer<typeof SliceInput>;

/** How far the lane has got. `ok: false`: the job is to stop; the receipt still names what was finished. */
export const SliceAnswer = z.object({
  ok: z.boolean(),
  done: z.boolean(),
  position: z.number(),
  receipt: z.string().nullable(),
  reason: Reason.nullable(),
});
export type SliceAnswer = z.infer<typeof SliceAnswer>;

/** A slice's time when lanes wait for their turn. */
const CROWDED_SLICE_MS = 2000;

/** How often a slice looks whether the job is to stop, and tells how far it is. */
const LOOK_EVERY_MS = 500;

/**
 * Scores mini-batch after mini-batch of a lane until its time is over, then writes one receipt. Bad files and records are data;
 * an exception means infrastructure, and the slice is tried again from its beginning. What an earlier, late or half-done
 * attempt staged is named by nobody.
 */
export async function scoreSlice(deps: JobDeps, input: SliceInput): Promise<SliceAnswer> {
  const attempt = randomUUID();
  const plan = await deps.files.plan(input.job);
  const lane = plan.manifest.lanes[input.lane];
  if (!lane) throw new Error(`job ${input.job} has no lane ${input.lane}`);
  const from = input.position ?? lane.from;
  const before = await talliesBefore(deps, input);
  const stopped = await deps.jobs.stopped(input.job);
  if (stopped) return { ok: false, done: false, position: from, receipt: input.receipt, reason: stopped };

  const lease = await deps.engine(plan.manifest.model);
  const work = sliceWork(deps, plan, input.lane, attempt, before, lease.engine);
  let reached: { position: number; reason: Reason | null };
  try {
    reached = await run(deps, plan, input, lane, from, work);
  } finally {
    lease.release();
  }

  if (reached.position === from)
    return { ok: false, done: false, position: from, receipt: input.receipt, reason: reached.reason };
  const receipt: Receipt = {
    job: input.job,
    lane: input.lane,
    plan: plan.hash,
    from,
    to: reached.position,
    attempt,
    previous: input.receipt,
    output: [...(await work.output.finish())],
    errors: [...(await work.errors.finish())],
    columns: [...lease.engine.columns],
    tallies: { ...work.tallies },
    failures: work.failures.slice(0, FAILURES_IN_JOB),
  };
  const name = await deps.files.writeReceipt(receipt);
  await report(deps, input, reached.position, work);
  jobLog(deps.log, plan.manifest).info(
    { lane: input.lane, from, to: reached.position, rows: work.tallies.rows - before.rows },
    'slice scored',
  );
  return {
    ok: reached.reason === null,
    done: reached.position === lane.to,
    position: reached.position,
    receipt: name,
    reason: reached.reason,
  };
}

/** A slice's tallies go on from those of the receipt before it. */
async function talliesBefore(deps: JobDeps, input: SliceInput): Promise<LaneTallies> {
  if (input.receipt === null) return NO_TALLIES;
  const previous = await deps.files.receipt(input.job, input.receipt);
  if (!previous) throw new Error(`receipt ${input.receipt} of job ${input.job} is gone`);
  return previous.tallies;
}

function sliceWork(
  deps: JobDeps,
  plan: Plan,
  lane: number,
  attempt: string,
  before: LaneTallies,
  engine: SliceWork['engine'],
): SliceWork {
  const { manifest } = plan;
  const owner = { job: manifest.job, lane, attempt };
  const writerTo = (target: typeof manifest.output) =>
    blockWriter(
      {
        blobs: datastoreOf(deps, target.datastore).blobs,
        ref: { container: target.container, name: target.blob },
        blockBytes: manifest.blockBytes,
      },
      owner,
    );
  return {
    manifest,
    input: datastoreOf(deps, manifest.inputDatastore).blobs,
    engine,
    output: writerTo(manifest.output),
    errors: writerTo(manifest.errors),
    tallies: { ...before },
    failures: new Array<Failure>(),
    log: jobLog(deps.log, manifest),
  };
}

async function run(
  deps: JobDeps,
  plan: Plan,
  input: SliceInput,
  lane: Lane,
  from: number,
  work: SliceWork,
): Promise<{ position: number; reason: Reason | null }> {
  const until = deps.clock.now() + sliceMs(deps, plan.manifest.lanes.length);
  let lookedAt = deps.clock.now();
  let failedBefore = work.tallies.filesFailed;
  for (let position = from; position < lane.to;) {
    const firstRows = work.tallies.rows === 0;
    await scoreMiniBatch(work, position);
    position++;
    const now = deps.clock.now();
    const newFailures = work.tallies.filesFailed > failedBefore;
    failedBefore = work.tallies.filesFailed;
    if (newFailures || now - lookedAt >= LOOK_EVERY_MS || (firstRows && work.tallies.rows > 0)) {
      lookedAt = now;
      await report(deps, input, position, work);
      const stop =
        (await deps.jobs.stopped(input.job)) ??
        (newFailures ? await overThreshold(deps, plan, input.lane, work) : undefined);
      if (stop) return { position, reason: stop };
    }
    if (now >= until) return { position, reason: null };
  }
  return { position: lane.to, reason: null };
}

/** A job with more lanes than can score at once takes shorter turns, so that none waits long (H5). */
const sliceMs = (deps: JobDeps, lanes: number): number =>
  lanes > deps.scoringThreads ? Math.min(deps.sliceMs, CROWDED_SLICE_MS) : deps.sliceMs;

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

async function report(deps: JobDeps, input: SliceInput, position: number, work: SliceWork): Promise<void> {
  const now = new Date(deps.clock.now()).toISOString();
  await deps.jobs.report(input.job, {
    lane: input.lane,
    position,
    ...work.tallies,
    updatedAt: now,
    firstRowAt: work.tallies.rows > 0 ? now : null,
  });
}

import { z } from 'zod';
import { JobFault } from '../domain/errors.ts';
import { generationOf, Reason } from '../domain/job.ts';
import { NO_TALLIES } from '../domain/receipts.ts';
import { scorerOf } from '../domain/scorer.ts';
import { laneOf } from '../domain/segments.ts';
import type { EngineLease } from '../scoring/engine-cache.ts';
import { ModelFault } from '../scoring/engine.ts';
import type { JobDeps } from './deps.ts';
import type { JobLog } from './job-log.ts';
import { whereToGoOn } from './lane-reached.ts';
import { signsOfLife } from './lane-report.ts';
import type { LoadedRange, Range } from './open-slice.ts';
import { scoreRange, withJobLog } from './score-range.ts';
import { scoreSuspects } from './score-suspects.ts';
import { blockedBy } from './stage-output-files.ts';
import { miniBatchPart, whileStarted } from './started-marks.ts';

export const SliceInput = z.object({
  job: z.string(),
  lane: z.number(),
  /** Mini-batch to go on from; null for the lane's first. */
  position: z.number().nullable(),
  /** The receipt that ends at `position`. */
  receipt: z.string().nullable(),
  /** Absent for the job's first generation. */
  generation: z.number().optional(),
  /** Which part of the plan the lane belongs to; absent for the first. */
  segment: z.number().optional(),
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

/**
 * Scores mini-batch after mini-batch of a lane until its time is over, then writes one receipt. Bad files and records are data;
 * an exception means infrastructure, and the slice is tried again from its beginning. What an earlier, late or half-done
 * attempt staged is named by nobody. Where an earlier attempt began and never ended, its mini-batches are suspected of having
 * killed the process and are scored one by one, with nothing beside them (B4).
 */
export async function scoreSlice(deps: JobDeps, input: SliceInput): Promise<SliceAnswer> {
  const plan = await deps.files.plan(input.job, input.segment);
  const lane = laneOf(plan.manifest, input.lane);
  const generation = generationOf(input);
  const range: Range = {
    plan,
    generation,
    lane: input.lane,
    from: input.position ?? lane.from,
    to: lane.to,
    receipt: input.receipt,
  };
  if (range.from === lane.to) return standing(range, range.from, range.receipt);
  const stopped = await deps.jobs.stopped(input.job, generation);
  if (stopped) return stopping(range, stopped);

  // Loaded before the mark: a process that dies of the model, or while it loads, was not killed by a mini-batch.
  const loaded = await withJobLog(deps, range, (log) => load(deps, range, log));
  if ('code' in loaded) return stopping(range, loaded);
  try {
    return await scoreMarked(deps, { ...range, engine: loaded.engine });
  } catch (error) {
    // The access of the job's invoker was ended, or a stranger is where the errors go: another try would not mend it.
    const fault = error instanceof JobFault ? error : blockedBy(error, plan.manifest.errors);
    if (!fault) throw error;
    const reason = { code: fault.code, message: fault.message };
    await deps.jobs.stop(input.job, reason);
    return stopping(range, reason);
  } finally {
    loaded.release();
  }
}

/** The engine; or why there can be none, and then the job is told to stop: no retry would help. */
async function load(deps: JobDeps, range: Range, log: JobLog): Promise<EngineLease | Reason> {
  const { manifest } = range.plan;
  const { lane, from: position, receipt } = range;
  // An environment may be built for minutes. The tallies count where the lane has no row yet, and then there are none.
  const life = signsOfLife(deps, manifest.job, { lane, position, tallies: NO_TALLIES, receipt });
  try {
    return await deps.engine(scorerOf(manifest), (line) => log.info({}, line));
  } catch (error) {
    if (!(error instanceof ModelFault)) throw error;
    const reason = { code: manifest.code ? 'ScriptFailed' : 'ModelFailed', message: error.message };
    await deps.jobs.stop(manifest.job, reason);
    return reason;
  } finally {
    life.end();
  }
}

async function scoreMarked(deps: JobDeps, range: LoadedRange): Promise<SliceAnswer> {
  const { plan } = range;
  const { job } = plan.manifest;
  const part = miniBatchPart(range.lane, range.from);
  const scored = await deps.turns.beside(async () => {
    if (!(await deps.jobs.markStart(job, part))) return undefined;
    return whileStarted(deps, job, part, () => scoreRange(deps, range));
  });
  if (scored) return scored;
  return deps.turns.alone(async () => {
    const progress = (await deps.jobs.progress(job)).find((row) => row.lane === range.lane);
    const further = await whereToGoOn(deps, plan, range.lane, progress);
    if (further && further.position > range.from) return standing(range, further.position, further.receipt);
    return scoreSuspects(deps, range);
  });
}

/** The answer where nothing may be scored any more. */
const stopping = ({ from, receipt }: Range, reason: Reason): SliceAnswer => ({
  ok: false,
  done: false,
  position: from,
  receipt,
  reason,
});

/** The answer where nothing is left to do: another attempt got that far. */
const standing = ({ to }: Range, position: number, receipt: string | null): SliceAnswer => ({
  ok: true,
  done: position === to,
  position,
  receipt,
  reason: null,
});

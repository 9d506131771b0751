import { z } from 'zod';
import { CommitAnswer, LaneResult, type CommitInput } from '../../shared/steps/commit-job.ts';
import { PlanAnswer, PlannedSegment, TakeAnswer, type PlanInput } from '../../shared/steps/plan-job.ts';
import type { SliceInput } from '../../shared/steps/score-slice.ts';
import { SettleAnswer } from '../../shared/steps/settle-job.ts';
import { activity, failureLine, type Durable, type Story } from './durable.ts';

/**
 * `execution` is drawn by whoever starts the orchestration. A guid of the orchestrator's own would differ when its first step
 * is lost and runs again, and the job would then belong to the step that was lost.
 */
export const JobOrchestrationInput = z.object({
  job: z.string(),
  execution: z.string(),
  /** Absent for the job's first; travels in every activity's input only where it is there. */
  generation: z.number().optional(),
  /** Of a later execution of the same orchestration: the segment to go on with. */
  planned: PlannedSegment.optional(),
});
export type JobOrchestrationInput = z.infer<typeof JobOrchestrationInput>;

/** How the job ended; `over`: another execution or generation has it, or it had ended before. */
export interface JobOrchestrationResult {
  readonly state: 'over' | 'completed' | 'failed' | 'canceled';
}

const BEGINNING = { position: null, receipt: null };

/** Lanes of one execution, after which the job goes on in a new one: the whole history is read again at every step. */
const LANES_PER_EXECUTION = 200;

/**
 * One scoring job: take it, plan it, score its lanes side by side, join what they staged. A large input is planned segment by
 * segment, each while the one before is scored. Undefined when it goes on as a new execution.
 */
export function* scoreJob(durable: Durable): Story<JobOrchestrationResult | undefined> {
  const { planned, ...input } = JobOrchestrationInput.parse(durable.getInput<unknown>());
  const { job, execution: _, ...run } = input;
  if (!planned) {
    const { over } = yield* activity(durable, 'takeJob', input, TakeAnswer);
    if (over) return { state: 'over' };
  }
  try {
    const plan = planned ?? (yield* activity(durable, 'planJob', input, PlanAnswer));
    if (!plan.ok) return yield* activity(durable, 'settleJob', { job, reason: plan.reason, ...run }, SettleAnswer);
    let segment = plan;
    for (let lanes = segment.lanes; ; lanes += segment.lanes) {
      const scored = yield* scoreSegment(durable, input, segment);
      const { next } = scored;
      if (!next?.ok || next.lanes === 0 || !scored.lanes.every(({ ok }) => ok))
        return yield* activity(durable, 'commitJob', commitInput(input, segment, scored), CommitAnswer);
      segment = next;
      if (lanes >= LANES_PER_EXECUTION) break;
    }
    durable.continueAsNew({ ...input, planned: segment } satisfies JobOrchestrationInput);
    return undefined;
  } catch (error) {
    const reason = { code: 'InfrastructureFailure', message: failureLine(error) };
    return yield* activity(durable, 'settleJob', { job, reason, ...run }, SettleAnswer);
  }
}

/** How the lanes of a segment ended, and what is planned behind it. */
interface ScoredSegment {
  readonly lanes: readonly LaneResult[];
  readonly next: PlanAnswer | undefined;
}

/**
 * All lanes of a segment, and the plan of the next one, in one Task.all; a segment that is scored has at least one lane. Their ids are
 * automatic: explicit ones collide with survivors (H9).
 */
function* scoreSegment(
  durable: Durable,
  { job, execution, ...run }: JobOrchestrationInput,
  { lanes, more, segment, firstLane = 0, starts }: PlannedSegment,
): Story<ScoredSegment> {
  const begin = (name: string, input: object) => durable.callSubOrchestrator(name, input, undefined, durable.version);
  const tasks = Array.from({ length: lanes }, (_, index) => {
    const at = segment === undefined ? {} : { segment };
    const slice: SliceInput = { job, lane: firstLane + index, ...(starts?.[index] ?? BEGINNING), ...run, ...at };
    return begin('scoreLane', slice);
  });
  if (more)
    tasks.push(begin('planSegment', { job, execution, ...run, segment: (segment ?? 0) + 1 } satisfies PlanInput));
  const results = z.array(z.unknown()).parse(yield durable.Task.all(tasks));
  return {
    lanes: z.array(LaneResult).parse(results.slice(0, lanes)),
    next: more && PlanAnswer.parse(results[lanes]),
  };
}

const commitInput = (
  { job, execution }: JobOrchestrationInput,
  { segment }: PlannedSegment,
  { lanes, next }: ScoredSegment,
): CommitInput => ({
  job,
  execution,
  lanes: [...lanes],
  ...(segment !== undefined && { segment }),
  ...(next?.ok === false && { reason: next.reason }),
});

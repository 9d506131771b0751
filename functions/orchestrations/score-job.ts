import { z } from 'zod';
import { CommitAnswer, LaneResult } from '../../shared/steps/commit-job.ts';
import { PlanAnswer, TakeAnswer } from '../../shared/steps/plan-job.ts';
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
});
export type JobOrchestrationInput = z.infer<typeof JobOrchestrationInput>;

/** How the job ended; `over`: another execution or generation has it, or it had ended before. */
export interface JobOrchestrationResult {
  readonly state: 'over' | 'completed' | 'failed' | 'canceled';
}

const BEGINNING = { position: null, receipt: null };

/** One scoring job: take it, plan it, score its lanes side by side, join what they staged. */
export function* scoreJob(durable: Durable): Story<JobOrchestrationResult> {
  const { job, execution, ...run } = JobOrchestrationInput.parse(durable.getInput<unknown>());
  const { over } = yield* activity(durable, 'takeJob', { job, execution, ...run }, TakeAnswer);
  if (over) return { state: 'over' };
  try {
    const plan = yield* activity(durable, 'planJob', { job, execution, ...run }, PlanAnswer);
    if (!plan.ok) return yield* activity(durable, 'settleJob', { job, reason: plan.reason, ...run }, SettleAnswer);
    const starts = Array.from({ length: plan.lanes }, (_, lane) => plan.starts?.[lane] ?? BEGINNING);
    const lanes = yield* scoreLanes(
      durable,
      starts.map((start, lane) => ({ job, lane, ...start, ...run })),
    );
    return yield* activity(durable, 'commitJob', { job, execution, lanes }, CommitAnswer);
  } catch (error) {
    const reason = { code: 'InfrastructureFailure', message: failureLine(error) };
    return yield* activity(durable, 'settleJob', { job, reason, ...run }, SettleAnswer);
  }
}

/** All lanes in one Task.all; a plan has at least one. Their ids are automatic: explicit ones collide with survivors (H9). */
function* scoreLanes(durable: Durable, lanes: readonly SliceInput[]): Story<LaneResult[]> {
  const results: unknown = yield durable.Task.all(
    lanes.map((lane) => durable.callSubOrchestrator('scoreLane', lane, undefined, durable.version)),
  );
  return z.array(LaneResult).parse(results);
}

import { z } from 'zod';
import { CommitAnswer, LaneResult } from '../../shared/steps/commit-job.ts';
import { PlanAnswer, TakeAnswer } from '../../shared/steps/plan-job.ts';
import { SettleAnswer } from '../../shared/steps/settle-job.ts';
import { activity, failureLine, type Durable, type Story } from './durable.ts';

/**
 * `execution` is drawn by whoever starts the orchestration. A guid of the orchestrator's own would differ when its first step
 * is lost and runs again, and the job would then belong to the step that was lost.
 */
export const JobOrchestrationInput = z.object({ job: z.string(), execution: z.string() });
export type JobOrchestrationInput = z.infer<typeof JobOrchestrationInput>;

/** How the job ended; `over`: another execution has it, or it had ended before. */
export interface JobOrchestrationResult {
  readonly state: 'over' | 'completed' | 'failed' | 'canceled';
}

/** One scoring job: take it, plan it, score its lanes side by side, join what they staged. */
export function* scoreJob(durable: Durable): Story<JobOrchestrationResult> {
  const { job, execution } = JobOrchestrationInput.parse(durable.getInput<unknown>());
  const { over } = yield* activity(durable, 'takeJob', { job, execution }, TakeAnswer);
  if (over) return { state: 'over' };
  try {
    const plan = yield* activity(durable, 'planJob', { job, execution }, PlanAnswer);
    if (!plan.ok) return yield* activity(durable, 'settleJob', { job, reason: plan.reason }, SettleAnswer);
    const lanes = yield* scoreLanes(durable, job, plan.lanes);
    return yield* activity(durable, 'commitJob', { job, execution, lanes }, CommitAnswer);
  } catch (error) {
    const reason = { code: 'InfrastructureFailure', message: failureLine(error) };
    return yield* activity(durable, 'settleJob', { job, reason }, SettleAnswer);
  }
}

/** All lanes in one Task.all; a plan has at least one. Their ids are automatic: explicit ones collide with survivors (H9). */
function* scoreLanes(durable: Durable, job: string, lanes: number): Story<LaneResult[]> {
  const input = (lane: number) => ({ job, lane, position: null, receipt: null });
  const results: unknown = yield durable.Task.all(
    Array.from({ length: lanes }, (_, lane) =>
      durable.callSubOrchestrator('scoreLane', input(lane), undefined, durable.version),
    ),
  );
  return z.array(LaneResult).parse(results);
}

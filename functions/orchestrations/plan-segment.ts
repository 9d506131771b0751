import { PlanAnswer, PlanInput } from '../../shared/steps/plan-job.ts';
import { activity, failureLine, type Durable, type Story } from './durable.ts';
import { markStopped } from './stop-mark.ts';

/**
 * Plans a further segment of a job while the one before is scored. An orchestration of its own, so that it never throws, as a lane
 * never does: its parent waits for both, and could do nothing until all lanes have ended (B1).
 */
export function* planSegment(durable: Durable): Story<PlanAnswer> {
  const input = PlanInput.parse(durable.getInput<unknown>());
  try {
    return yield* activity(durable, 'planJob', input, PlanAnswer);
  } catch (error) {
    const reason = { code: 'InfrastructureFailure', message: failureLine(error) };
    yield* markStopped(durable, input.job, reason);
    return { ok: false, reason };
  }
}

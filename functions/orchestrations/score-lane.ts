import { SliceAnswer, SliceInput } from '../../shared/steps/score-slice.ts';
import type { LaneResult } from '../../shared/steps/commit-job.ts';
import { activity, failureLine, type Durable, type Story } from './durable.ts';
import { markStopped } from './stop-mark.ts';

/** Slices of one execution: the whole history is read again at every step (durable-design, lanes). */
const SLICES_PER_EXECUTION = 20;

/**
 * One lane: slice after slice until its end. Never throws: it answers a value, and whoever fails first writes the stop mark
 * itself, because the parent can do nothing until every lane has ended (B1). Undefined when it goes on as a new execution.
 */
export function* scoreLane(durable: Durable): Story<LaneResult | undefined> {
  const { position: from, receipt: last, ...lane } = SliceInput.parse(durable.getInput<unknown>());
  let position = from;
  let receipt = last;
  try {
    for (let slice = 0; slice < SLICES_PER_EXECUTION; slice++) {
      const answer = yield* activity(durable, 'scoreSlice', { ...lane, position, receipt }, SliceAnswer);
      ({ position, receipt } = answer);
      if (!answer.ok || answer.done) return { ok: answer.ok, receipt, reason: answer.reason };
    }
  } catch (error) {
    const reason = { code: 'ScoringUnavailable', message: failureLine(error) };
    yield* markStopped(durable, lane.job, reason);
    return { ok: false, receipt, reason };
  }
  durable.continueAsNew({ ...lane, position, receipt } satisfies SliceInput);
  return undefined;
}

import { z } from 'zod';
import { PipelineAnswer } from '../../shared/steps/pipeline/end-pipeline.ts';
import { StepAnswer, StepInputMessage } from '../../shared/steps/pipeline/open-step.ts';
import { ScoringStepAnswer } from '../../shared/steps/pipeline/scoring-step.ts';
import { PipelineInput, TakePipelineAnswer } from '../../shared/steps/pipeline/take-pipeline.ts';
import { activity, failureLine, type Durable, type Story } from './durable.ts';

/** A pipeline job: its sources side by side, each of which starts what its end makes ready. */
export function* runPipeline(durable: Durable): Story<PipelineAnswer> {
  const input = PipelineInput.parse(durable.getInput<unknown>());
  const { over, sources } = yield* activity(durable, 'takePipeline', input, TakePipelineAnswer);
  if (over) return { state: 'over' };
  yield* runSteps(durable, input, sources);
  return yield* activity(durable, 'endPipeline', input, PipelineAnswer);
}

const NextSteps = z.object({ next: z.array(z.string()) });

/**
 * A step, and then the steps that its end made ready: who ends last among the steps before one starts it, so every step begins as
 * soon as its last input is there, and no task is awaited twice. Never throws: a failure is the step's record.
 */
export function* runPipelineStep(durable: Durable): Story<{ ended: true } | undefined> {
  const input = WaitingStep.parse(durable.getInput<unknown>());
  const { waited, ...step } = input;
  const next = yield* nextSteps(durable, step, waited);
  // It scores still, and goes on in a new execution.
  if (next === undefined) return undefined;
  yield* runSteps(durable, { job: step.job, execution: step.execution }, next);
  return { ended: true };
}

/** `waited`: how often a scoring step's job was looked at; absent before the step has begun. */
const WaitingStep = StepInputMessage.extend({ waited: z.number().optional() });

function* nextSteps(
  durable: Durable,
  step: StepInputMessage,
  waited: number | undefined,
): Story<readonly string[] | undefined> {
  try {
    if (waited === undefined) {
      const answer = yield* activity(durable, 'runStep', step, StepAnswer);
      if (answer.state === 'ended') return answer.next;
    }
    return yield* waitForScoring(durable, step, waited ?? 0);
  } catch (error) {
    const reason = { code: 'InfrastructureFailure', message: failureLine(error) };
    const { next } = yield* activity(durable, 'failStep', { ...step, reason }, NextSteps);
    return next;
  }
}

/** Looks of one execution: the whole history is read again at every one. */
const LOOKS_PER_EXECUTION = 20;

/** Looks after half a second first, then more and more rarely. */
const secondsBefore = (look: number): number => Math.min(10, 0.5 * 1.2 ** look);

/** A scoring step's job has its own orchestration, which may come and go; undefined when this one goes on as a new execution. */
function* waitForScoring(
  durable: Durable,
  step: StepInputMessage,
  waited: number,
): Story<readonly string[] | undefined> {
  for (let look = waited; look < waited + LOOKS_PER_EXECUTION; look++) {
    yield durable.createTimer(new Date(durable.currentUtcDateTime.getTime() + secondsBefore(look) * 1000));
    const { ended, next } = yield* activity(durable, 'lookAtScoring', step, ScoringStepAnswer);
    if (ended) return next;
  }
  durable.continueAsNew({ ...step, waited: waited + LOOKS_PER_EXECUTION });
  return undefined;
}

/** Steps in one Task.all, which of nothing would throw. Their ids are automatic (H9). */
function* runSteps(durable: Durable, pipeline: PipelineInput, steps: readonly string[]): Story<void> {
  if (steps.length === 0) return;
  yield durable.Task.all(
    steps.map((step) =>
      durable.callSubOrchestrator('runPipelineStep', { ...pipeline, step }, undefined, durable.version),
    ),
  );
}

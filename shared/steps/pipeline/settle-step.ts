import { afterEndOf } from '../../domain/pipeline/settle.ts';
import {
  isStepEnded,
  stepNamed,
  type EndedStep,
  type PipelineSpec,
  type PlannedStep,
  type StepRecord,
} from '../../domain/pipeline/pipeline-job.ts';
import type { Reason } from '../../domain/job.ts';
import { CHILD_LOG } from '../../domain/log-files.ts';
import { keepLogAs } from '../artifact-store.ts';
import { note, noteFailure } from '../../telemetry/spans.ts';
import { logLine, printToJob } from '../job-log.ts';
import type { PipelineDeps } from './deps.ts';

/** The part of an ended step's record that its end decides. */
type Ending =
  | Omit<Extract<StepRecord, { state: 'completed' }>, 'path' | 'run' | 'settled' | 'owner' | 'startedAt' | 'endedAt'>
  | Omit<Extract<StepRecord, { state: 'failed' }>, 'path' | 'run' | 'settled' | 'owner' | 'startedAt' | 'endedAt'>
  | { readonly state: 'skipped' | 'canceled'; readonly reason: Reason };

/**
 * Ends a step, which is never left, and answers the steps that its end makes ready: every dependent notes it, and the last of
 * those that a dependent waits for owns it. A repeat answers the same steps.
 */
export async function endStep(
  deps: PipelineDeps,
  spec: PipelineSpec,
  step: PlannedStep,
  ending: Ending,
): Promise<string[]> {
  const endedAt = new Date(deps.clock.now()).toISOString();
  let isFirst = false;
  const record = await deps.pipelines.changeStep(spec.name, step.path, (current) => {
    isFirst = !isStepEnded(current);
    return isFirst ? endedRecord(current, ending, endedAt) : undefined;
  });
  if (!isStepEnded(record)) throw new Error(`step ${step.path} of pipeline ${spec.name} did not end`);
  if (record.state === 'failed' && !spec.continueOnStepFailure)
    await deps.jobs.stop(spec.name, stepFailed(record.path));
  const [next] = await Promise.all([settle(deps, spec, step), isFirst ? tellEnd(deps, spec, record) : undefined]);
  return next;
}

/** What a step that is not to run any more because another one failed says. */
const stepFailed = (path: string): Reason => ({
  code: 'StepFailed',
  message: `Step '${path}' failed, and the pipeline does not continue on a step's failure.`,
});

function endedRecord(current: StepRecord, ending: Ending, endedAt: string): EndedStep {
  const { path, run, settled, owner } = current;
  const startedAt = 'startedAt' in current ? current.startedAt : null;
  return { path, run, settled, owner, startedAt, endedAt, ...ending };
}

/** The end of a step that is told to its dependents; the ones that it owns. */
async function settle(deps: PipelineDeps, spec: PipelineSpec, step: PlannedStep): Promise<string[]> {
  const owned: string[] = [];
  for (const path of step.dependents) {
    const dependent = await deps.pipelines.changeStep(spec.name, path, (current) =>
      afterEndOf(current, step.path, stepNamed(spec, path).dependsOn),
    );
    if (dependent.owner === step.path) owned.push(path);
  }
  return owned;
}

/** Says in both logs how the step ended, and keeps the step's. */
async function tellEnd(deps: PipelineDeps, spec: PipelineSpec, record: EndedStep): Promise<void> {
  const text =
    record.state === 'completed' && record.reusedFrom ? 'completed: taken over, not run again' : record.state;
  const reason = 'reason' in record ? `: ${record.reason.message}` : '';
  const from = record.state === 'completed' && record.reusedFrom ? { from: record.reusedFrom.run } : {};
  const facts = 'metrics' in record ? { ...record.metrics } : {};
  const level = record.state === 'failed' ? 'error' : 'info';
  const line = logLine(deps.clock.now(), level, `step ${record.path} ${text}${reason}`, { ...from, ...facts });
  deps.log.info({ job: spec.name, step: record.path, state: record.state }, 'step ended');
  note({ 'batchpoint.step': record.path, 'batchpoint.state': record.state });
  if (record.state === 'failed') noteFailure(record.reason.code);
  const keep = async (): Promise<void> => {
    await printToJob(deps, record.run, [line]);
    await keepLogAs(deps, record.run, [{ run: record.run, file: CHILD_LOG }]);
  };
  await Promise.all([printToJob(deps, spec.name, [line]), keep()]);
}

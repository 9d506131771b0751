import type { EndedPipeline, PipelineRecord, PipelineSpec, StepRecord } from './pipeline-job.ts';
import { isStepEnded } from './pipeline-job.ts';
import type { JobStatus, Reason } from '../job.ts';

/**
 * A dependent after one of the steps before it has ended. The last one to end becomes its owner. The same end told again changes
 * nothing, so a repeat finds the same owner.
 */
export function afterEndOf(dependent: StepRecord, ended: string, dependsOn: readonly string[]): StepRecord {
  if (dependent.state !== 'waiting' || dependent.settled.includes(ended)) return dependent;
  const settled = [...dependent.settled, ended];
  const isLast = dependsOn.every((path) => settled.includes(path));
  return { ...dependent, settled, owner: isLast ? ended : dependent.owner };
}

/** How a pipeline whose steps have all ended, or will never begin, ends. `stopped` is why it was told to stop, if it was. */
export function pipelineEnd(
  spec: PipelineSpec,
  record: PipelineRecord,
  steps: readonly StepRecord[],
  stopped: Reason | undefined,
  endedAt: string,
): EndedPipeline {
  const { name, createdAt, cancelRequested, cancelRequestedAt } = record;
  const base = {
    ...{ name, createdAt, cancelRequested, endedAt },
    ...(cancelRequestedAt === undefined ? {} : { cancelRequestedAt }),
    startedAt: 'startedAt' in record ? record.startedAt : null,
  };
  const failed = steps.flatMap((step) => (step.state === 'failed' ? [step] : []));
  if (steps.every((step) => step.state === 'completed')) return { state: 'completed', ...base };
  if (cancelRequested && stopped) return { state: 'canceled', ...base, reason: stopped };
  const [first] = failed;
  if (first) {
    const others = failed.length === 1 ? '' : ` ${failed.length - 1} more failed.`;
    const message = `Step '${first.path}' failed: ${first.reason.message}${others}`;
    return { state: 'failed', ...base, reason: { code: first.reason.code, message } };
  }
  const unfinished = steps.find((step) => step.state !== 'completed');
  const message = `Step '${unfinished?.path ?? spec.steps[0]?.path ?? ''}' did not run.`;
  return { state: 'failed', ...base, reason: stopped ?? { code: 'StepDidNotRun', message } };
}

/** Azure ML's words for a pipeline. */
export function pipelineStatus(record: PipelineRecord): JobStatus {
  switch (record.state) {
    case 'accepted':
      return record.cancelRequested ? 'CancelRequested' : 'Preparing';
    case 'running':
      return record.cancelRequested ? 'CancelRequested' : 'Running';
    case 'completed':
      return 'Completed';
    case 'failed':
      return 'Failed';
    case 'canceled':
      return 'Canceled';
  }
}

/** Azure ML's words for a step. A step that will never begin, because its pipeline has ended, was cancelled. */
export function stepStatus(step: StepRecord, pipeline: PipelineRecord): JobStatus | 'NotStarted' {
  if (!isStepEnded(step) && pipeline.state !== 'accepted' && pipeline.state !== 'running') return 'Canceled';
  switch (step.state) {
    case 'waiting':
      return 'NotStarted';
    case 'running':
      return 'Running';
    case 'committing':
      return 'Finalizing';
    case 'completed':
      return 'Completed';
    case 'failed':
      return 'Failed';
    case 'skipped':
    case 'canceled':
      return 'Canceled';
  }
}

import { NO_FACTS } from '../../domain/pipeline/pipeline-job.ts';
import { uuidOf } from '../../domain/uuid.ts';
import { pipelineProperties, pipelineTags } from '../management/pipeline-resource.ts';
import { pipelineTimes } from '../management/pipeline-system-data.ts';
import type { PipelineRun } from '../run-lookup.ts';
import type { StepView } from '../../steps/pipeline/pipeline-view.ts';
import type { RunFault } from './scoring-run.ts';

/** What a pipeline job, or the run of one of its steps, says of itself. */
export function pipelineFacts({ view, step }: PipelineRun) {
  const { spec } = view;
  const experimentId = uuidOf(spec.experimentName);
  if (!step) {
    const { startedAt, endedAt, modifiedAt } = pipelineTimes(view);
    return {
      ...{ runNumber: 1, lastModifiedUtc: modifiedAt, experimentId, status: view.status },
      ...{ startTimeUtc: startedAt, endTimeUtc: endedAt, displayName: spec.displayName, name: spec.displayName },
      ...{ tags: pipelineTags(view), properties: pipelineProperties(view) },
    };
  }
  const { startedAt, endedAt } = stepTimes(step);
  return {
    runNumber: 2 + spec.steps.findIndex(({ path }) => path === step.plan.path),
    lastModifiedUtc: endedAt ?? startedAt ?? spec.createdAt,
    ...{ experimentId, status: step.status, startTimeUtc: startedAt, endTimeUtc: endedAt },
    ...{ displayName: step.plan.displayName, name: step.plan.displayName },
    tags: {},
    properties: stepProperties(view.spec.name, step),
  };
}

const stepTimes = ({ record }: StepView) => ({
  startedAt: 'startedAt' in record ? record.startedAt : null,
  endedAt: 'endedAt' in record ? record.endedAt : null,
});

/** By `azureml.moduleName` clients know the step of a component; what it told MLflow and whose results it took are ours. */
function stepProperties(job: string, { plan, record }: StepView): Record<string, string> {
  const { metrics, parameters } = 'metrics' in record ? record : NO_FACTS;
  const named = (prefix: string, facts: Readonly<Record<string, string | number>>) =>
    Object.fromEntries(Object.entries(facts).map(([name, value]) => [`${prefix}.${name}`, String(value)]));
  const reused = record.state === 'completed' ? record.reusedFrom : undefined;
  return {
    'azureml.runsource': 'azureml.StepRun',
    'azureml.nodeid': plan.run.slice(0, 8),
    'azureml.moduleName': plan.component,
    'azureml.moduleid': uuidOf(plan.component),
    'azureml.pipelinerunid': job,
    'azureml.isreused': String(reused !== undefined),
    ...(reused && { 'azureml.rootpipelinerunid': reused.job, 'azureml.reusedrunid': reused.run }),
    'batchpoint.step': plan.path,
    ...named('batchpoint.metric', metrics),
    ...named('batchpoint.parameter', parameters),
  };
}

export function pipelineFault({ view, step }: PipelineRun): RunFault {
  if (!step) {
    const { modifiedAt } = pipelineTimes(view);
    return { reason: view.status === 'Failed' ? view.reason : undefined, failures: [], time: modifiedAt };
  }
  const { record } = step;
  const reason = record.state === 'failed' ? record.reason : undefined;
  return { reason, failures: [], time: stepTimes(step).endedAt ?? view.spec.createdAt };
}

import { isEnded, type Failure, type Reason } from '../../domain/job.ts';
import { uuidOf } from '../../domain/uuid.ts';
import { experimentOf } from '../management/job-resource.ts';
import type { ScoringRun } from '../run-lookup.ts';
import { jobProperties, jobTags, lastModified, startOf } from '../scoring/job-resource.ts';

/** The step's name in every batch job; older clients look the child run up by it (contract 4.1). */
const MODULE_NAME = 'batchscoring';

/** What a run of a scoring job says of itself. The child has none of a batch job's tags, so that clients take its outputs by name. */
export function scoringFacts({ runId, view, isChild }: ScoringRun) {
  const { spec, record } = view;
  const name = isChild ? MODULE_NAME : spec.displayName;
  return {
    runNumber: isChild ? 2 : 1,
    lastModifiedUtc: lastModified(view),
    experimentId: uuidOf(experimentOf(view)),
    status: view.status,
    startTimeUtc: startOf(view),
    endTimeUtc: isEnded(record) ? record.endedAt : null,
    displayName: name,
    name,
    tags: isChild ? spec.tags : jobTags(view),
    properties: isChild ? stepProperties(runId, view) : jobProperties(view),
  };
}

const stepProperties = (runId: string, { spec }: ScoringRun['view']): Record<string, string> => ({
  'azureml.runsource': 'azureml.StepRun',
  'azureml.nodeid': runId.slice(0, 8),
  'azureml.moduleName': MODULE_NAME,
  'azureml.moduleid': uuidOf(MODULE_NAME),
  'azureml.pipelinerunid': spec.name,
  StepType: 'PythonScriptStep',
  ContentSnapshotId: uuidOf(JSON.stringify(spec.model)),
});

/** Why it failed, if it did. */
export interface RunFault {
  readonly reason: Reason | undefined;
  readonly failures: readonly Failure[];
  readonly time: string;
}

export function scoringFault({ view }: ScoringRun): RunFault {
  const { record, reason, status } = view;
  return {
    reason: status === 'Failed' ? reason : undefined,
    failures: isEnded(record) ? record.failures : [],
    time: lastModified(view),
  };
}

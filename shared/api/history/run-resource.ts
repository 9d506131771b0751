import { isEnded } from '../../domain/job.ts';
import { uuidOf } from '../../domain/uuid.ts';
import { outputAssetId, runOutputs } from '../data/run-outputs.ts';
import { experimentOf } from '../management/job-resource.ts';
import { childRunOf } from '../../domain/child-run.ts';
import type { FoundRun } from '../run-lookup.ts';
import { jobProperties, jobTags, lastModified, startOf } from '../scoring/job-resource.ts';
import type { Workspace } from '../deps.ts';

export interface RunSurroundings {
  readonly workspace: Workspace;
  /** The job's page, for people. */
  readonly page: string;
}

/** The step's name in every batch job; older clients look the child run up by it (contract 4.1). */
const MODULE_NAME = 'batchscoring';

/** A run as the run history shows it. Times are never null where clients subtract them. */
export function runResource(run: FoundRun, { workspace, page }: RunSurroundings) {
  const { runId, view, isChild } = run;
  const { spec, record } = view;
  const endedAt = isEnded(record) ? record.endedAt : null;
  const [tenantId = '', objectId = ''] = spec.createdBy.split(':');
  const user = { userObjectId: objectId, userTenantId: tenantId, userName: null };
  return {
    runNumber: isChild ? 2 : 1,
    rootRunId: spec.name,
    createdUtc: spec.createdAt,
    createdBy: user,
    lastModifiedBy: user,
    lastModifiedUtc: lastModified(view),
    runId,
    parentRunId: isChild ? spec.name : null,
    experimentId: uuidOf(experimentOf(view)),
    status: view.status,
    startTimeUtc: startOf(view),
    endTimeUtc: endedAt,
    duration: null,
    displayName: isChild ? MODULE_NAME : spec.displayName,
    name: isChild ? MODULE_NAME : spec.displayName,
    dataContainerId: `dcid.${runId}`,
    description: spec.description,
    hidden: view.archived,
    runType: isChild ? 'azureml.StepRun' : 'azureml.PipelineRun',
    target: null,
    compute: null,
    ...runFacts(run),
    services: { Tracking: service('Tracking', null), Studio: service('Studio', page) },
    inputs: {},
    outputs: Object.fromEntries(
      runOutputs(run).map(({ name, type }) => [name, { assetId: outputAssetId(workspace, runId, name), type }]),
    ),
  };
}

/** Tags and properties of a run. The child has none of a batch job's tags, so that clients take its outputs by name. */
function runFacts({ runId, view, isChild }: FoundRun) {
  if (!isChild) return { tags: jobTags(view), properties: jobProperties(view) };
  return {
    tags: view.spec.tags,
    properties: {
      'azureml.runsource': 'azureml.StepRun',
      'azureml.nodeid': runId.slice(0, 8),
      'azureml.moduleName': MODULE_NAME,
      'azureml.moduleid': uuidOf(MODULE_NAME),
      'azureml.pipelinerunid': view.spec.name,
      StepType: 'PythonScriptStep',
      ContentSnapshotId: uuidOf(JSON.stringify(view.spec.model)),
    },
  };
}

/** A run's details: what `jobs.stream` reads until the status is a last one. */
export function runDetails(run: FoundRun, around: RunSurroundings, logFiles: Readonly<Record<string, string>>) {
  const { status, startTimeUtc, endTimeUtc, runId, parentRunId, properties, tags, services, inputs, outputs } =
    runResource(run, around);
  return {
    runId,
    parentRunId,
    target: null,
    status,
    createdTimeUtc: run.view.spec.createdAt,
    startTimeUtc,
    endTimeUtc,
    error: runError(run, around.workspace.location),
    warnings: [],
    tags,
    properties,
    services,
    inputs,
    outputs,
    inputDatasets: [],
    outputDatasets: [],
    logFiles,
    childRunId: run.isChild ? null : childRunOf(runId),
  };
}

/** Why a job failed, in the shape that the client's exception prints (contract 4.1). */
function runError({ view }: FoundRun, location: string) {
  const { record, reason, status } = view;
  if (status !== 'Failed' || !reason) return null;
  const failures = isEnded(record) ? record.failures : [];
  return {
    error: {
      code: reason.code,
      message: reason.message,
      messageFormat: '{Message}',
      messageParameters: { Message: reason.message },
      details: failures.map((failure) => ({ code: failure.code, message: failure.reason, target: failure.file })),
      innerError: null,
    },
    correlation: {},
    environment: location,
    location,
    time: lastModified(view),
    componentName: 'batchpoint',
  };
}

const service = (type: string, endpoint: string | null) => ({
  type,
  endpoint,
  port: null,
  status: null,
  errorMessage: null,
  properties: null,
});

import { childRunOf } from '../../domain/child-run.ts';
import { outputAssetId, runOutputs } from '../data/run-outputs.ts';
import type { Workspace } from '../deps.ts';
import { isChildRun, type FoundRun } from '../run-lookup.ts';
import { pipelineFacts, pipelineFault } from './pipeline-run.ts';
import { scoringFacts, scoringFault } from './scoring-run.ts';

export interface RunSurroundings {
  readonly workspace: Workspace;
  /** The job's page, for people. */
  readonly page: string;
}

/** A run as the run history shows it. Times are never null where clients subtract them. */
export function runResource(run: FoundRun, { workspace, page }: RunSurroundings) {
  const facts = run.kind === 'scoring' ? scoringFacts(run) : pipelineFacts(run);
  const { spec, archived } = run.view;
  const [tenantId = '', objectId = ''] = spec.createdBy.split(':');
  const user = { userObjectId: objectId, userTenantId: tenantId, userName: null };
  return {
    rootRunId: spec.name,
    createdUtc: spec.createdAt,
    createdBy: user,
    lastModifiedBy: user,
    runId: run.runId,
    parentRunId: isChildRun(run) ? spec.name : null,
    duration: null,
    dataContainerId: `dcid.${run.runId}`,
    description: spec.description,
    hidden: archived,
    runType: isChildRun(run) ? 'azureml.StepRun' : 'azureml.PipelineRun',
    target: null,
    compute: null,
    ...facts,
    services: { Tracking: service('Tracking', null), Studio: service('Studio', page) },
    inputs: {},
    outputs: Object.fromEntries(
      runOutputs(run).map(({ name, type }) => [name, { assetId: outputAssetId(workspace, run.runId, name), type }]),
    ),
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
    childRunId: run.kind === 'scoring' && !run.isChild ? childRunOf(runId) : null,
  };
}

/** Why a run failed, in the shape that the client's exception prints (contract 4.1). */
function runError(run: FoundRun, location: string) {
  const { reason, failures, time } = run.kind === 'scoring' ? scoringFault(run) : pipelineFault(run);
  if (!reason) return null;
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
    time,
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

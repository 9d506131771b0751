import { isEnded, type JobRecord } from '../../domain/job.ts';
import { SCORE } from '../../domain/run-output.ts';
import { formatDuration } from '../../domain/invocation-settings.ts';
import type { WorkspaceAddress } from '../../domain/uri.ts';
import type { JobView } from '../../steps/job-view.ts';
import { deploymentId, PROVIDER, systemData, workspaceIdOf } from '../resource-ids.ts';

export interface JobSurroundings {
  readonly workspace: WorkspaceAddress;
  /** The job's page, for people. */
  readonly page: string;
}

/** A job as Azure ML shows it (contract 1.1). Progress and failures have no place there: they are `batchpoint.` properties. */
export function jobResource(view: JobView, { workspace, page }: JobSurroundings) {
  const { spec, record, status } = view;
  const { settings, input } = spec;
  return {
    id: `${deploymentId(workspace, spec.endpoint, spec.deployment)}/jobs/${spec.name}`,
    name: spec.name,
    type: `${PROVIDER}/workspaces/batchEndpoints/deployments/jobs`,
    properties: {
      provisioningState: 'Succeeded',
      description: spec.description,
      inputData: {
        [input.name]: { description: input.description, uri: input.uri, mode: input.mode, jobInputType: input.kind },
      },
      miniBatchSize: settings.miniBatchSize,
      errorThreshold: settings.errorThreshold,
      maxConcurrencyPerInstance: settings.maxConcurrencyPerInstance,
      compute: {
        target: null,
        instanceCount: settings.instanceCount,
        isLocal: false,
        location: null,
        instanceType: null,
        properties: null,
      },
      outputFileName: settings.outputFileName,
      output: { datastoreId: null, path: null },
      ...('outputUri' in record && record.outputUri !== undefined
        ? {
            outputData: {
              [SCORE]: {
                jobOutputType: 'UriFile',
                mode: 'ReadWriteMount',
                uri: armDataPath(workspace, record.outputUri),
              },
            },
          }
        : {}),
      retrySettings: { maxRetries: settings.maxRetries, timeout: formatDuration(settings.timeoutSeconds) },
      status,
      loggingLevel: settings.loggingLevel,
      interactionEndpoints: {
        Tracking: { jobEndpointType: 'Tracking', port: null, endpoint: null, properties: null },
        Studio: { jobEndpointType: 'Studio', port: null, endpoint: page, properties: null },
      },
      tags: jobTags(view),
      properties: jobProperties(view),
      name: spec.displayName,
    },
    ...errorOf(view),
    systemData: jobSystemData(view),
  };
}

/** By `azureml.batchrun` clients know a batch job (contract 4, jobs.download). */
export const jobTags = ({ spec }: JobView): Record<string, string> => ({
  ...spec.tags,
  'azureml.batchrun': 'true',
  'azureml.deploymentname': spec.deployment,
  'azureml.jobtype': 'azureml.batchjob',
  inputType: 'input_data',
  outputType: 'output_data',
});

export const jobProperties = (view: JobView): Record<string, string> => ({
  ...view.spec.properties,
  ...runProperties(view),
  ...identityProperties(view.spec),
  ...progressProperties(view),
});

export const jobSystemData = (view: JobView) =>
  systemData({ createdAt: view.spec.createdAt, createdBy: view.spec.createdBy, modifiedAt: lastModified(view) });

/** The last change of state that is known. */
export const lastModified = (view: JobView): string =>
  (isEnded(view.record) ? view.record.endedAt : undefined) ?? startOf(view) ?? view.spec.createdAt;

/** Who asked for it, and as whom it reads and writes. */
export const identityProperties = ({
  createdBy,
  createdByName,
  delegation,
}: Pick<JobView['spec'], 'createdBy' | 'createdByName' | 'delegation'>): Record<string, string> => ({
  'batchpoint.createdBy': createdBy,
  ...(createdByName !== undefined && { 'batchpoint.createdByName': createdByName }),
  'batchpoint.runAs': delegation === undefined ? 'app' : 'invoker',
});

/** What Azure ML's own runs carry. */
function runProperties({ spec }: JobView): Record<string, string> {
  const { settings } = spec;
  return {
    'azureml.pipelineid': spec.name.replace(/^batchjob-/, ''),
    'azureml.runsource': 'azureml.PipelineRun',
    runSource: 'Unavailable',
    runType: 'HTTP',
    'azureml.parameters': JSON.stringify({
      run_max_try: String(settings.maxRetries),
      run_invocation_timeout: String(settings.timeoutSeconds),
      mini_batch_size: String(settings.miniBatchSize),
      error_threshold: String(settings.errorThreshold),
      logging_level: settings.loggingLevel.toUpperCase(),
      process_count_per_node: String(settings.maxConcurrencyPerInstance),
      legacy_model_job: 'False',
      NodeCount: String(settings.instanceCount),
      append_row_file_name: settings.outputFileName,
    }),
    'azureml.continue_on_step_failure': 'False',
    'azureml.continue_on_failed_optional_input': 'False',
    'azureml.pipelineComponent': 'pipelinerun',
  };
}

/** Its output holds what was finished when the job stopped. */
const isSalvaged = (record: JobRecord): boolean =>
  (record.state === 'failed' || record.state === 'canceled') && record.outputUri !== undefined;

/** How far the job is; only what is known. */
function progressProperties({
  record,
  totals,
  listing,
  rowsPerSecond,
  secondsLeft,
  firstRowAt,
}: JobView): Record<string, string> {
  const known: Record<string, string | number | true | null | undefined> = {
    files: totals?.files,
    listing,
    filesDone: totals?.filesDone,
    filesFailed: totals?.filesFailed,
    rows: totals?.rows,
    recordsFailed: totals?.recordsFailed,
    rowsPerSecond,
    secondsLeft,
    firstRowAt,
    ...(isEnded(record) ? { errorsUri: record.errorsUri } : {}),
    ...(isSalvaged(record) ? { complete: 'false' } : {}),
    ...(isEnded(record) && record.failures.length > 0 ? { failures: JSON.stringify(record.failures) } : {}),
  };
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) =>
      value === undefined || value === null ? [] : [[`batchpoint.${name}`, String(value)]],
    ),
  );
}

/** Scripts print the top-level `error` of a job that failed (contract 1.3). */
function errorOf({ record, reason }: JobView) {
  if (!reason) return {};
  const failures = isEnded(record) ? record.failures : [];
  return {
    error: {
      code: reason.code,
      message: reason.message,
      details: failures.map((failure) => ({ code: failure.code, message: failure.reason, target: failure.file })),
    },
  };
}

/** When its first activity took it; null before. */
export const startOf = ({ record }: JobView): string | null => (record.state === 'accepted' ? null : record.startedAt);

/** `azureml://datastores/D/paths/P` as responses write it: the ARM form without a scheme (contract 1.1). */
function armDataPath(workspace: WorkspaceAddress, uri: string): string {
  const place = /^azureml:\/\/(datastores\/.+)$/.exec(uri)?.[1];
  return place === undefined ? uri : `${workspaceIdOf(workspace)}/${place}`;
}

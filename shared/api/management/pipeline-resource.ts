import { z } from 'zod';
import { NO_FACTS } from '../../domain/pipeline/pipeline-job.ts';
import type { ListedPipeline, StepView } from '../../steps/pipeline/pipeline-view.ts';
import { deploymentId, jobId, PROVIDER } from '../resource-ids.ts';
import { identityProperties, type JobSurroundings } from '../scoring/job-resource.ts';
import { endpointService, JOB_TYPE, WORKSPACE_JOB } from './job-resource.ts';
import { pipelineSystemData } from './pipeline-system-data.ts';

/** A pipeline job as the workspace shows it: what was sent, and how far it is. */
export function pipelineJobResource(view: ListedPipeline, { workspace, page }: JobSurroundings) {
  const { spec } = view;
  return {
    id: jobId(workspace, spec.name),
    name: spec.name,
    type: WORKSPACE_JOB,
    properties: {
      ...{ componentId: null, settings: null, jobs: null, inputs: null, outputs: null, sourceJobId: null },
      ...{ computeId: null, jobType: JOB_TYPE },
      ...spec.sent,
      description: spec.description,
      tags: pipelineTags(view),
      properties: pipelineProperties(view),
      displayName: spec.displayName,
      status: view.status,
      experimentName: spec.experimentName,
      services: { Tracking: endpointService('Tracking', null), Studio: endpointService('Studio', page) },
      isArchived: view.archived,
      identity: null,
    },
    systemData: pipelineSystemData(view),
  };
}

/** A pipeline job as the endpoint that was invoked shows it (contract 1.1). */
export function batchPipelineResource(view: ListedPipeline, { workspace, page }: JobSurroundings) {
  const { spec, reason } = view;
  return {
    id: `${deploymentId(workspace, spec.endpoint ?? '', spec.deployment ?? '')}/jobs/${spec.name}`,
    name: spec.name,
    type: `${PROVIDER}/workspaces/batchEndpoints/deployments/jobs`,
    properties: {
      provisioningState: 'Succeeded',
      description: spec.description,
      inputData: batchInputs(spec.sent['inputs']),
      outputData: Object.fromEntries(
        Object.entries(view.outputs).map(([name, { uri }]) => [
          name,
          { jobOutputType: uri.endsWith('/') ? 'UriFolder' : 'UriFile', mode: 'ReadWriteMount', uri },
        ]),
      ),
      status: view.status,
      interactionEndpoints: {
        Tracking: { jobEndpointType: 'Tracking', port: null, endpoint: null, properties: null },
        Studio: { jobEndpointType: 'Studio', port: null, endpoint: page, properties: null },
      },
      tags: pipelineTags(view),
      properties: pipelineProperties(view),
      name: spec.displayName,
    },
    ...(reason && { error: { code: reason.code, message: reason.message, details: [] } }),
    systemData: pipelineSystemData(view),
  };
}

/** As the batch job's own API writes them: `UriFolder`, not `uri_folder`. */
const BATCH_TYPES = new Map([
  ['uri_file', 'UriFile'],
  ['uri_folder', 'UriFolder'],
  ['custom_model', 'CustomModel'],
  ['mlflow_model', 'MLFlowModel'],
  ['triton_model', 'TritonModel'],
  ['literal', 'Literal'],
]);

const SentInputs = z.record(z.string(), z.looseObject({ jobInputType: z.string() })).default({});

const batchInputs = (sent: unknown) =>
  Object.fromEntries(
    Object.entries(SentInputs.parse(sent)).map(([name, { jobInputType: type, ...input }]) => [
      name,
      { ...input, jobInputType: BATCH_TYPES.get(type) ?? type },
    ]),
  );

/** Clients take a job with this type for a pipeline, and its outputs by their own names (contract 4, jobs.download). */
export const pipelineTags = ({ spec }: ListedPipeline): Record<string, string> => ({
  ...spec.tags,
  'azureml.jobtype': 'azureml.pipelinejob',
  ...(spec.endpoint !== null && { 'azureml.batchrun': 'true', 'azureml.deploymentname': spec.deployment ?? '' }),
});

/** What Azure ML's own runs carry, then, but in lists, how far the steps are. */
export const pipelineProperties = ({ spec, steps }: ListedPipeline): Record<string, string> => ({
  ...spec.properties,
  'azureml.pipelineid': spec.name.replace(/^batchjob-/, ''),
  'azureml.runsource': 'azureml.PipelineRun',
  runSource: 'MFE',
  runType: spec.endpoint === null ? 'SDK' : 'HTTP',
  'azureml.continue_on_step_failure': spec.continueOnStepFailure ? 'True' : 'False',
  'azureml.pipelineComponent': 'pipelinerun',
  ...identityProperties(spec),
  ...(steps && stepProperties(steps)),
});

/** How many there are and have completed, and what they told MLflow. */
function stepProperties(steps: readonly StepView[]): Record<string, string> {
  const metrics = steps.flatMap(({ plan, record }) => {
    const facts = 'metrics' in record ? record : NO_FACTS;
    return Object.entries(facts.metrics).map(
      ([name, value]) => [`batchpoint.metric.${plan.path}.${name}`, String(value)] as const,
    );
  });
  const done = steps.filter(({ record }) => record.state === 'completed').length;
  return {
    'batchpoint.steps': String(steps.length),
    'batchpoint.stepsCompleted': String(done),
    ...Object.fromEntries(metrics),
  };
}

import type { Caller } from '../../auth/caller.ts';
import { sha256 } from '../../domain/blocks.ts';
import { canonical } from '../../domain/canonical.ts';
import type { PipelineDeployment } from '../../domain/deployment-record.ts';
import { asSentJob, type PipelineInvocation } from '../../domain/pipeline/pipeline-invocation.ts';
import { layPipelineSettings, pipelineSettings } from '../../domain/pipeline/settings.ts';
import { assetVersionId } from '../../domain/resource-ids.ts';
import type { EndpointRecord } from '../../domain/resources.ts';
import { admitJob, type RunningLimits } from '../admit-job.ts';
import { uriRules } from '../datastore-source.ts';
import { dataOf } from '../deployment-data.ts';
import { referencedPipeline } from './component-source.ts';
import { pipelineSpec, type SpecDeps } from './pipeline-spec.ts';
import { submitPipeline, type SubmitPipelineDeps } from './submit-pipeline.ts';

export interface InvokePipelineDeps extends SpecDeps, SubmitPipelineDeps {
  readonly limits: SpecDeps['limits'] & RunningLimits;
}

const TARGETS = {
  inputs: 'properties.inputData',
  outputs: 'properties.outputData',
  pipeline: 'component',
  settings: 'deployment.settings',
};

export interface PipelineInvokeRequest {
  /** Name of the job. */
  readonly name: string;
  readonly endpoint: EndpointRecord;
  readonly deployment: PipelineDeployment;
  readonly invocation: PipelineInvocation;
  readonly requestHash: string;
  readonly caller: Caller;
}

/** Tells a repeat of an invocation from another one under its request id. */
export const pipelineRequestHash = (
  { name }: EndpointRecord,
  deployment: string | undefined,
  invocation: PipelineInvocation,
): string => sha256(canonical([name.toLowerCase(), deployment?.toLowerCase() ?? null, { ...invocation }]));

/** Makes a job from an invocation of a pipeline's deployment and starts it. Throws ApiError 400, 403 and writes nothing then. */
export async function invokePipeline(deps: InvokePipelineDeps, request: PipelineInvokeRequest): Promise<void> {
  const { name, endpoint, deployment, invocation, requestHash, caller } = request;
  const { component, settings } = deployment.pipeline;
  const reference = `azureml:${component.name}:${component.version}`;
  const { pipeline } = await referencedPipeline(deps, reference, 'component');
  const { description, tags, properties } = invocation;
  const spec = await pipelineSpec(deps, {
    name,
    displayName: invocation.name ?? name,
    // The client's `experiment_name` comes as a property; without one a job is filed under its endpoint (contract 1.2, 3.5).
    experimentName: properties['experimentName'] ?? endpoint.name,
    ...{ description, tags, properties },
    endpoint: endpoint.name,
    deployment: deployment.name,
    createdBy: caller.subject,
    ...(caller.name !== undefined && { createdByName: caller.name }),
    user: { caller, deployment: dataOf(await uriRules(deps), deployment) },
    requestHash,
    sent: {
      jobType: 'Pipeline',
      componentId: assetVersionId(deps.workspace, 'components', component.name, component.version),
      settings,
      ...asSentJob(invocation),
    },
    pipeline,
    inputs: invocation.inputData,
    given: invocation.outputData,
    settings: layPipelineSettings(pipelineSettings.parse(settings)),
    targets: TARGETS,
  });
  await admitJob(deps, deps.limits, spec, (admitted) => submitPipeline(deps, admitted));
}

import { checked } from '../domain/checked.ts';
import { isPipelineDeployment } from '../domain/deployment-record.ts';
import { InvocationBody } from '../domain/invocation.ts';
import { PipelineInvocationBody } from '../domain/pipeline/pipeline-invocation.ts';
import { endpointOf } from './endpoints.ts';
import { chosenDeployment, invokeEndpoint, jobName, type InvokeDeps, type InvokeRequest } from './invoke-endpoint.ts';
import { newJobView, type JobView } from './job-view.ts';
import { invokePipeline, pipelineRequestHash, type InvokePipelineDeps } from './pipeline/invoke-pipeline.ts';
import { submitPipeline } from './pipeline/submit-pipeline.ts';

/** What an invocation may be, by what its deployment is of. */
export const INVOCATION_BODIES = [InvocationBody, PipelineInvocationBody] as const;

export interface InvokeDeploymentDeps extends InvokeDeps, InvokePipelineDeps {
  readonly limits: InvokePipelineDeps['limits'];
}

export interface InvokeDeploymentRequest extends Pick<
  InvokeRequest,
  'endpoint' | 'deployment' | 'requestId' | 'caller'
> {
  /** As sent: what it may hold is known once the deployment is. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The job of an invocation. */
export interface Invoked {
  readonly name: string;
  /** As it was made just now; absent of a pipeline, and of a job that was there before. */
  readonly view?: JobView;
}

/**
 * Makes a job of whatever deployment an invocation reaches, of a model or of a pipeline. Throws ApiError 400, 403, 404, 409 and
 * changes nothing then.
 */
export async function invokeDeployment(deps: InvokeDeploymentDeps, request: InvokeDeploymentRequest): Promise<Invoked> {
  const { body, ...asked } = request;
  const { requestId, caller } = asked;
  const endpoint = await endpointOf(deps, asked.endpoint);
  const name = jobName(requestId, endpoint.name, caller.subject);
  // A repeat answers its job even when the deployment is another by now, or gone.
  const known = requestId === undefined ? undefined : await deps.pipelines.spec(name);
  if (known) {
    const invocation = checked(PipelineInvocationBody, body).properties;
    await submitPipeline(deps, { ...known, requestHash: pipelineRequestHash(endpoint, asked.deployment, invocation) });
    return { name };
  }
  const invokeModel = async (chosen?: InvokeRequest['chosen']): Promise<Invoked> => {
    const invocation = checked(InvocationBody, body).properties;
    const request = { ...asked, invocation, limits: deps.limits, ...(chosen && { chosen }) };
    const { spec, record, created } = await invokeEndpoint(deps, request);
    return { name, ...(created && { view: newJobView(spec, record) }) };
  };
  if (requestId !== undefined && (await deps.jobs.spec(name))) return invokeModel();
  const deployment = await chosenDeployment(deps, endpoint, asked.deployment);
  if (!isPipelineDeployment(deployment)) return invokeModel({ endpoint, deployment });
  const invocation = checked(PipelineInvocationBody, body).properties;
  const requestHash = pipelineRequestHash(endpoint, asked.deployment, invocation);
  await invokePipeline(deps, { name, endpoint, deployment, invocation, requestHash, caller });
  return { name };
}

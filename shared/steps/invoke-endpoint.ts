import { randomUUID } from 'node:crypto';
import { asInvoker, type Caller } from '../auth/caller.ts';
import { sha256 } from '../domain/blocks.ts';
import { canonical } from '../domain/canonical.ts';
import { DEPLOYMENT_EXTENSIONS, runAsOf } from '../domain/deployment-extensions.ts';
import { uuidOf } from '../domain/uuid.ts';
import { ApiError, badRequest } from '../domain/errors.ts';
import type { Invocation } from '../domain/invocation.ts';
import { extensionsOf, layExtensions } from '../domain/invocation-extensions.ts';
import { checkTimeout, withSettings } from '../domain/invocation-settings.ts';
import type { JobSpec } from '../domain/job.ts';
import { checkMiniBatchSize, takesWholeFiles } from '../domain/mini-batches.ts';
import { scorerFieldsOf } from '../domain/scorer.ts';
import { isPipelineDeployment, type DeploymentRecord } from '../domain/deployment-record.ts';
import type { EndpointRecord } from '../domain/resources.ts';
import type { Extensions } from '../domain/settings.ts';
import { newJobTrace } from '../telemetry/job-span.ts';
import { maxInstancesOf } from './computes.ts';
import { uriRules } from './datastore-source.ts';
import { dataOf } from './deployment-data.ts';
import { deploymentOf } from './deployments.ts';
import { endpointOf } from './endpoints.ts';
import { delegateJob, type DelegateDeps } from './identity/delegate-job.ts';
import { checkOutput, jobInput, type PlaceDeps } from './job-places.ts';
import type { Clock } from './ports.ts';
import { checkSignatures, withoutSignatures, type SignedUrls } from './signed-urls.ts';
import { admitJob, type RunningLimits } from './admit-job.ts';
import { submitJob, type SubmitDeps, type SubmittedJob } from './submit-job.ts';

export interface InvokeDeps extends SubmitDeps, PlaceDeps, DelegateDeps {
  readonly clock: Clock;
  /** The app's own settings; a deployment's and an invocation's go before them. */
  readonly appExtensions: Partial<Extensions>;
  /** Seconds that one try of a mini-batch may take, so that it ends within the host's functionTimeout. */
  readonly maxTimeoutSeconds: number;
  /** Absent where signed URLs are not taken. */
  readonly signedUrls?: Pick<SignedUrls, 'check'>;
}

export interface InvokeRequest {
  readonly endpoint: string;
  /** The header `azureml-model-deployment`; else the endpoint's default is used. */
  readonly deployment: string | undefined;
  /** What these lead to, when it is known already. */
  readonly chosen?: { readonly endpoint: EndpointRecord; readonly deployment: DeploymentRecord };
  readonly invocation: Invocation;
  /** The client's id for this request: the same id again is the same job. */
  readonly requestId: string | undefined;
  readonly caller: Caller;
  /** The input is the list that was stored for the job (see `JobFiles.writeInput`), not what the folder will hold. */
  readonly listedInput?: true;
  /** How many jobs may run at once; absent where the app itself makes the job. */
  readonly limits?: RunningLimits;
}

/**
 * Makes a job of a model's deployment from an invocation and starts it. Throws ApiError 400, 403, 404, 409 and changes nothing
 * then.
 */
export async function invokeEndpoint(deps: InvokeDeps, request: InvokeRequest): Promise<SubmittedJob> {
  const { caller } = request;
  const { invocation, signatures } = withoutSignatures(request.invocation);
  const endpoint = request.chosen?.endpoint ?? (await endpointOf(deps, request.endpoint));
  const name = jobName(request.requestId, endpoint.name, caller.subject);
  const requestHash = sha256(
    canonical([endpoint.name.toLowerCase(), request.deployment?.toLowerCase() ?? null, { ...invocation }]),
  );
  // A repeat answers its job even when the deployment is another by now, or gone.
  const known = request.requestId === undefined ? undefined : await deps.jobs.spec(name);
  if (known?.requestHash === requestHash) return submitJob(deps, known);
  const deployment = request.chosen?.deployment ?? (await chosenDeployment(deps, endpoint, request.deployment));
  if (isPipelineDeployment(deployment))
    throw badRequest(
      `Deployment '${deployment.name}' of endpoint '${endpoint.name}' runs a pipeline: queues, watched folders and steps of pipelines reach deployments of models only. POST to the endpoint's jobs instead.`,
    );
  const isInvokers = runAsOf({ properties: deployment.properties, isPipeline: false }) === 'invoker';
  const user = {
    caller: isInvokers ? asInvoker(caller) : caller,
    deployment: dataOf(await uriRules(deps), deployment),
  };
  const signed = checkSignatures(isInvokers ? undefined : deps.signedUrls, invocation, signatures);
  const input = signed.input
    ? { ...invocation.inputData, signed: true as const }
    : await jobInput(deps, invocation.inputData, user);
  if (!signed.output) await checkOutput(deps, invocation.outputData, user);
  const maxInstances = await maxInstancesOf(deps, deployment.compute);
  const settings = withSettings(deployment.settings, invocation, invocation.compute?.instanceCount);
  checkTimeout(settings, deps.maxTimeoutSeconds);
  const extensions = layExtensions(
    deps.appExtensions,
    extensionsOf(deployment.properties, 'properties.properties', DEPLOYMENT_EXTENSIONS),
    extensionsOf(invocation.properties, 'properties.properties'),
  );
  checkMiniBatchSize(settings, extensions.miniBatchUnit);
  if (deployment.code && extensions.miniBatchUnit !== 'files')
    throw badRequest(takesWholeFiles('A scoring script'), 'properties.properties');
  const draft: JobSpec = {
    name,
    displayName: invocation.name ?? name,
    endpoint: endpoint.name,
    deployment: deployment.name,
    description: invocation.description,
    tags: invocation.tags,
    properties: invocation.properties,
    model: deployment.model,
    ...scorerFieldsOf(deployment),
    settings,
    extensions,
    input,
    output: invocation.outputData && { ...invocation.outputData, ...(signed.output && { signed: true }) },
    createdBy: caller.subject,
    ...(caller.name !== undefined && { createdByName: caller.name }),
    createdAt: new Date(deps.clock.now()).toISOString(),
    requestHash,
    ...(maxInstances !== undefined && { maxInstances }),
    ...(request.listedInput && { listedInput: true }),
    ...newJobTrace(),
  };
  return admitJob(deps, request.limits, draft, async (admitted) => {
    if (isInvokers) return submitAs(deps, admitted, caller);
    for (const pending of Object.values(signed)) await pending.keep(name);
    return submitJob(deps, admitted);
  });
}

/** Submits a job that runs as its caller. What it was lent is taken back when another request had made the job before. */
async function submitAs(deps: InvokeDeps, draft: JobSpec, caller: Caller): Promise<SubmittedJob> {
  const spec = { ...draft, delegation: await delegateJob(deps, draft, caller) };
  const takeBack = () => deps.delegations.remove(spec.delegation);
  try {
    const stored = await submitJob(deps, spec);
    if (stored.spec.delegation !== spec.delegation) await takeBack();
    return stored;
  } catch (error) {
    // After any other fault the job may be there, and hold it.
    if (error instanceof ApiError) await takeBack();
    throw error;
  }
}

/** Azure ML's own words (contract 1.3). */
const NO_DEFAULT =
  'No valid deployments to route to. Please check that the endpoint has at least one deployment with positive weight values or use a deployment specific header to route.';

/** The deployment that was asked for (404 when it is not there), else the default, which may be gone since it was chosen. */
export async function chosenDeployment(
  deps: Pick<InvokeDeps, 'registry'>,
  endpoint: EndpointRecord,
  asked: string | undefined,
): Promise<DeploymentRecord> {
  if (asked !== undefined) return deploymentOf(deps, endpoint.name, asked);
  const { defaultDeployment } = endpoint;
  const found =
    defaultDeployment === null ? undefined : await deps.registry.deployments.get(endpoint.name, defaultDeployment);
  if (!found) throw badRequest(NO_DEFAULT);
  return found.value;
}

const MAX_REQUEST_ID = 256;

/** The same id from the same caller for the same endpoint names the same job; without an id every request is a new one. */
export function jobName(requestId: string | undefined, endpoint: string, caller: string): string {
  if (requestId === undefined) return `batchjob-${randomUUID()}`;
  if (requestId.length === 0 || requestId.length > MAX_REQUEST_ID)
    throw new ApiError(400, 'UserError', `A request id must have 1 to ${MAX_REQUEST_ID} characters.`);
  return `batchjob-${uuidOf(JSON.stringify([requestId, endpoint.toLowerCase(), caller]))}`;
}

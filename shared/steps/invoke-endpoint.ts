import { randomUUID } from 'node:crypto';
import { sha256 } from '../domain/blocks.ts';
import { ApiError, badRequest } from '../domain/errors.ts';
import type { Invocation } from '../domain/invocation.ts';
import { extensionsOf, layExtensions } from '../domain/invocation-extensions.ts';
import { withSettings } from '../domain/invocation-settings.ts';
import type { JobSpec } from '../domain/job.ts';
import type { DeploymentRecord } from '../domain/resources.ts';
import type { Extensions } from '../domain/settings.ts';
import { parseDataUri, type UriRules } from '../domain/uri.ts';
import type { Registry } from '../storage/registry/resources.ts';
import { deploymentOf } from './deployments.ts';
import { endpointOf } from './endpoints.ts';
import type { Clock } from './ports.ts';
import { submitJob, type SubmitDeps } from './submit-job.ts';

export interface InvokeDeps extends SubmitDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly uriRules: UriRules;
  /** The app's own settings; a deployment's and an invocation's go before them. */
  readonly appExtensions: Partial<Extensions>;
}

export interface InvokeRequest {
  readonly endpoint: string;
  /** The header `azureml-model-deployment`; else the endpoint's default is used. */
  readonly deployment: string | undefined;
  readonly invocation: Invocation;
  /** The client's id for this request: the same id again is the same job. */
  readonly requestId: string | undefined;
  readonly caller: string;
}

/** Makes a job from an invocation and starts it; answers its name. Throws ApiError 400, 403, 404, 409 and changes nothing then. */
export async function invokeEndpoint(deps: InvokeDeps, request: InvokeRequest): Promise<string> {
  const { invocation, caller } = request;
  const endpoint = await endpointOf(deps, request.endpoint);
  const deployment = await chosenDeployment(deps, endpoint.name, request.deployment ?? endpoint.defaultDeployment);
  checkUris(invocation, deps.uriRules);
  const name = jobName(request.requestId, endpoint.name, caller);
  const spec: JobSpec = {
    name,
    displayName: invocation.name ?? name,
    endpoint: endpoint.name,
    deployment: deployment.name,
    description: invocation.description,
    tags: invocation.tags,
    properties: invocation.properties,
    model: deployment.model,
    settings: withSettings(deployment.settings, invocation, invocation.compute?.instanceCount),
    extensions: layExtensions(
      deps.appExtensions,
      extensionsOf(deployment.properties, 'properties.properties'),
      extensionsOf(invocation.properties, 'properties.properties'),
    ),
    input: invocation.inputData,
    output: invocation.outputData,
    createdBy: caller,
    createdAt: new Date(deps.clock.now()).toISOString(),
    requestHash: sha256(
      canonical([endpoint.name.toLowerCase(), request.deployment?.toLowerCase() ?? null, { ...invocation }]),
    ),
  };
  await submitJob(deps, spec);
  return name;
}

async function chosenDeployment(deps: InvokeDeps, endpoint: string, name: string | null): Promise<DeploymentRecord> {
  if (name === null)
    throw badRequest(
      'No valid deployments to route to. Please check that the endpoint has at least one deployment with positive weight values or use a deployment specific header to route.',
    );
  return deploymentOf(deps, endpoint, name);
}

function checkUris({ inputData, outputData }: Invocation, rules: UriRules): void {
  const input = `properties.inputData.${inputData.name}.uri`;
  const from = parseDataUri(inputData.uri, rules, input);
  if (inputData.kind === 'UriFile' && isFolder(from.path))
    throw badRequest('An input of type UriFile must name a file; use UriFolder for a folder.', input);
  if (!outputData) return;
  const output = `properties.outputData.${outputData.name}.uri`;
  const to = parseDataUri(outputData.uri, rules, output);
  if (outputData.kind === 'UriFile' && isFolder(to.path))
    throw badRequest('An output of type UriFile must name a file; use UriFolder for a folder.', output);
}

const isFolder = (path: string): boolean => path === '' || path.endsWith('/');

const MAX_REQUEST_ID = 256;

/** The same id from the same caller for the same endpoint names the same job; without an id every request is a new one. */
function jobName(requestId: string | undefined, endpoint: string, caller: string): string {
  if (requestId === undefined) return `batchjob-${randomUUID()}`;
  if (requestId.length === 0 || requestId.length > MAX_REQUEST_ID)
    throw new ApiError(400, 'UserError', `A request id must have 1 to ${MAX_REQUEST_ID} characters.`);
  const hex = sha256(JSON.stringify([requestId, endpoint.toLowerCase(), caller]));
  // A version 8 UUID: free bits, so that whatever expects a UUID reads one.
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `batchjob-${parts.join('-')}`;
}

/** JSON with the keys of every object in order: equal requests have equal texts. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

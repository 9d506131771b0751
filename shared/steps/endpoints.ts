import { badRequest, conflict, notFound } from '../domain/errors.ts';
import { isEnded } from '../domain/job.ts';
import type { EndpointBody } from '../domain/management.ts';
import { endpointNameFault } from '../domain/management-names.ts';
import type { EndpointRecord } from '../domain/resources.ts';
import { allRecords } from '../storage/registry/collection.ts';
import { askAfter } from './lost-job.ts';
import { openJobs, type OpenJobDeps } from './open-jobs.ts';
import type { Clock, Orchestrations } from './ports.ts';
import { removeDeployment, type WatchedDeps } from './watched-deployments.ts';
import { checkIfMatch, removeResource, writeResource, type Author } from './write-resource.ts';

export interface EndpointDeps extends WatchedDeps, OpenJobDeps {
  readonly orchestrations: Orchestrations;
  readonly clock: Clock;
}

/** Properties that the service adds to its answers; a client that sends back what it read does not own them. */
const SERVICE_PROPERTIES = ['azureasyncoperationuri', 'batchendpointcreationapiversion', 'azureml.onlineendpointid'];

/** The endpoint, or ApiError 404. */
export async function endpointOf({ registry }: Pick<EndpointDeps, 'registry'>, name: string): Promise<EndpointRecord> {
  const found = await registry.endpoints.get(name);
  if (!found) throw notFound(`Endpoint '${name.slice(0, 80)}' does not exist.`);
  return found.value;
}

/**
 * Makes an endpoint or replaces it. A body without `defaults` leaves the default deployment as it is, so that running clients
 * do not lose it when somebody creates the same endpoint again; `deploymentName: null` takes it away.
 */
export async function putEndpoint(
  deps: EndpointDeps,
  name: string,
  body: EndpointBody,
  by: Author,
): Promise<{ record: EndpointRecord; created: boolean }> {
  const fault = endpointNameFault(name, 'an endpoint');
  if (fault !== undefined) throw badRequest(fault, 'name');
  const now = new Date(deps.clock.now()).toISOString();
  return writeResource(
    deps.registry.endpoints,
    [name],
    async (stored) => ({
      name: stored?.name ?? name,
      description: body.properties?.description ?? null,
      tags: body.tags ?? {},
      properties: withoutServiceProperties(body.properties?.properties ?? {}),
      createdAt: stored?.createdAt ?? now,
      createdBy: stored?.createdBy ?? by.subject,
      modifiedAt: now,
      defaultDeployment: await defaultDeployment(deps, name, body, stored),
    }),
    by.ifMatch,
  );
}

/** Changes what the body names. Throws ApiError 404 when there is no such endpoint. */
export async function patchEndpoint(
  deps: EndpointDeps,
  name: string,
  body: EndpointBody,
  by: Author,
): Promise<EndpointRecord> {
  await endpointOf(deps, name);
  const { record } = await writeResource(
    deps.registry.endpoints,
    [name],
    async (stored) => {
      if (!stored) throw notFound(`Endpoint '${name}' does not exist.`);
      const { description, properties } = body.properties ?? {};
      return {
        ...stored,
        description: description === undefined ? stored.description : description,
        tags: body.tags ?? stored.tags,
        properties: properties ? withoutServiceProperties(properties) : stored.properties,
        modifiedAt: new Date(deps.clock.now()).toISOString(),
        defaultDeployment: await defaultDeployment(deps, name, body, stored),
      };
    },
    by.ifMatch,
  );
  return record;
}

/** Removes an endpoint with its deployments. False when it was not there; ApiError 409 while a job of it has not ended. */
export async function deleteEndpoint(deps: EndpointDeps, name: string, by: Author): Promise<boolean> {
  const found = await deps.registry.endpoints.get(name);
  if (!found) return false;
  checkIfMatch(found.value, by.ifMatch);
  const open = await openJob(deps, name);
  if (open !== undefined)
    throw conflict(`Endpoint '${name}' has a job that has not ended: '${open}'. Cancel it or wait for its end.`);
  await deleteDeployments(deps, name);
  const removed = await removeResource(deps.registry.endpoints, [name]);
  // One that was made in between belongs to the endpoint that is gone and must not come back with a later one.
  await deleteDeployments(deps, name);
  return removed;
}

async function deleteDeployments(deps: EndpointDeps, endpoint: string): Promise<void> {
  const names: string[] = [];
  for await (const deployment of allRecords(deps.registry.deployments, [endpoint] as const))
    names.push(deployment.name);
  for (const name of names) await removeDeployment(deps, [endpoint, name]);
}

/** A job that somebody still runs; one that nobody does is ended on the way. */
async function openJob(deps: EndpointDeps, endpoint: string): Promise<string | undefined> {
  for await (const job of openJobs(deps)) {
    if (job.spec.endpoint?.toLowerCase() !== endpoint.toLowerCase()) continue;
    if (job.kind === 'pipeline') return job.spec.name;
    const { record } = await askAfter(deps, job.record);
    if (!isEnded(record)) return record.name;
  }
  return undefined;
}

async function defaultDeployment(
  { registry }: EndpointDeps,
  endpoint: string,
  body: EndpointBody,
  stored: EndpointRecord | undefined,
): Promise<string | null> {
  const asked = body.properties?.defaults?.deploymentName;
  if (asked === undefined) return stored?.defaultDeployment ?? null;
  if (asked === null || asked === '') return null;
  const found = stored && (await registry.deployments.get(endpoint, asked));
  if (!found)
    throw badRequest(
      `The default deployment '${asked.slice(0, 80)}' does not exist in endpoint '${endpoint}'. Create it first.`,
      'properties.defaults.deploymentName',
    );
  return found.value.name;
}

const withoutServiceProperties = (properties: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(properties).filter(([name]) => !SERVICE_PROPERTIES.includes(name.toLowerCase())));

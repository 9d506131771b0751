import type { DeploymentRecord } from '../domain/deployment-record.ts';
import { badRequest, notFound } from '../domain/errors.ts';
import { extensionsOf } from '../domain/invocation-extensions.ts';
import { withSettings } from '../domain/invocation-settings.ts';
import type { DeploymentBody } from '../domain/management.ts';
import { endpointNameFault } from '../domain/management-names.ts';
import { ScoringSettings } from '../domain/settings.ts';
import { WATCH_EXTENSION } from '../domain/watch.ts';
import { maxInstancesOf } from './computes.ts';
import { checkSettings, proveScorer, sentCode, sentModel, type ScorerDeps } from './deployment-scorer.ts';
import { endpointOf, type EndpointDeps } from './endpoints.ts';
import { removeDeployment, writeDeployment } from './watched-deployments.ts';
import { checkIfMatch, writeResource, type Author } from './write-resource.ts';

export interface DeploymentDeps extends EndpointDeps, ScorerDeps {}

const NO_CODE = { codeConfiguration: null, environmentId: null, environmentVariables: {} };

/** The deployment, or ApiError 404. */
export async function deploymentOf(
  { registry }: Pick<EndpointDeps, 'registry'>,
  endpoint: string,
  name: string,
): Promise<DeploymentRecord> {
  const found = await registry.deployments.get(endpoint, name);
  if (!found)
    throw notFound(`Deployment '${name.slice(0, 80)}' does not exist in endpoint '${endpoint.slice(0, 80)}'.`);
  return found.value;
}

/** Makes a deployment or replaces it, after its model was proved usable. Throws ApiError 400, 404 for the endpoint. */
export async function putDeployment(
  deps: DeploymentDeps,
  endpointName: string,
  name: string,
  body: DeploymentBody,
  by: Author,
): Promise<{ record: DeploymentRecord; created: boolean }> {
  const endpoint = await endpointOf(deps, endpointName);
  const fault = endpointNameFault(name, 'a deployment');
  if (fault !== undefined) throw badRequest(fault, 'name');
  const sent = body.properties ?? {};
  extensionsOf(sent.properties ?? {}, 'properties.properties', [WATCH_EXTENSION]);
  await maxInstancesOf(deps, sent.compute ?? null);
  const { name: modelName, version } = await sentModel(deps, sent.model);
  const scored = {
    model: { name: modelName, version },
    settings: withSettings(ScoringSettings.parse({}), sent, sent.resources?.instanceCount),
    ...NO_CODE,
    ...(await sentCode(deps, sent)),
  };
  checkSettings(scored, deps);
  await proveScorer(deps, scored);
  const now = new Date(deps.clock.now()).toISOString();
  const written = await writeDeployment(
    deps,
    [endpoint.name, name],
    (stored) => ({
      endpoint: endpoint.name,
      name: stored?.name ?? name,
      description: sent.description ?? null,
      tags: body.tags ?? {},
      properties: sent.properties ?? {},
      createdAt: stored?.createdAt ?? now,
      createdBy: stored?.createdBy ?? by.subject,
      modifiedAt: now,
      compute: sent.compute ?? null,
      ...scored,
    }),
    by.ifMatch,
  );
  if (!(await deps.registry.endpoints.get(endpoint.name))) {
    await removeDeployment(deps, [endpoint.name, name]);
    throw notFound(`Endpoint '${endpoint.name}' was deleted meanwhile.`);
  }
  return written;
}

/** Changes description, tags, properties, settings, code and environment; the model stays. Throws ApiError 400, 404. */
export async function patchDeployment(
  deps: DeploymentDeps,
  endpointName: string,
  name: string,
  body: DeploymentBody,
  by: Author,
): Promise<DeploymentRecord> {
  const endpoint = await endpointOf(deps, endpointName);
  const before = await deploymentOf(deps, endpoint.name, name);
  const sent = body.properties ?? {};
  extensionsOf(sent.properties ?? {}, 'properties.properties', [WATCH_EXTENSION]);
  await maxInstancesOf(deps, sent.compute ?? null);
  if (sent.model) {
    const asked = await sentModel(deps, sent.model);
    if (asked.name !== before.model.name || asked.version !== before.model.version)
      throw badRequest('A PATCH cannot change the model; PUT the deployment instead.', 'properties.model');
  }
  const code = await sentCode(deps, sent);
  if (Object.keys(code).length > 0) await proveScorer(deps, { ...before, ...code });
  const { record } = await writeDeployment(
    deps,
    [endpoint.name, name],
    (stored) => {
      if (!stored) throw notFound(`Deployment '${name}' does not exist in endpoint '${endpoint.name}'.`);
      const patched = {
        ...stored,
        ...code,
        description: sent.description === undefined ? stored.description : sent.description,
        tags: body.tags ?? stored.tags,
        properties: sent.properties ?? stored.properties,
        modifiedAt: new Date(deps.clock.now()).toISOString(),
        settings: withSettings(stored.settings, sent, sent.resources?.instanceCount),
        compute: sent.compute ?? stored.compute,
      };
      checkSettings(patched, deps);
      return patched;
    },
    by.ifMatch,
  );
  return record;
}

/**
 * Removes a deployment; jobs of it go on, because they hold all that they need. An endpoint whose default it was has none
 * afterwards. False when it was not there.
 */
export async function deleteDeployment(
  deps: EndpointDeps,
  endpointName: string,
  name: string,
  by: Author,
): Promise<boolean> {
  const found = await deps.registry.deployments.get(endpointName, name);
  if (!found) return false;
  checkIfMatch(found.value, by.ifMatch);
  const isDefault = (current: string | null): boolean => current?.toLowerCase() === name.toLowerCase();
  if (isDefault((await endpointOf(deps, endpointName)).defaultDeployment))
    await writeResource(deps.registry.endpoints, [endpointName], (stored) => {
      if (!stored) throw notFound(`Endpoint '${endpointName}' does not exist.`);
      return isDefault(stored.defaultDeployment) ? { ...stored, defaultDeployment: null } : stored;
    });
  return removeDeployment(deps, [endpointName, name], by.ifMatch);
}

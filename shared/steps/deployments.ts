import { badRequest, notFound } from '../domain/errors.ts';
import { extensionsOf } from '../domain/invocation-extensions.ts';
import { withSettings } from '../domain/invocation-settings.ts';
import type { DeploymentBody } from '../domain/management.ts';
import { parseModelReference } from '../domain/management-model-reference.ts';
import { endpointNameFault } from '../domain/management-names.ts';
import type { DeploymentRecord, ModelRecord } from '../domain/resources.ts';
import { ScoringSettings } from '../domain/settings.ts';
import type { WorkspaceAddress } from '../domain/uri.ts';
import { WATCH_EXTENSION } from '../domain/watch.ts';
import { ModelFault } from '../scoring/engine.ts';
import { maxInstancesOf } from './computes.ts';
import { endpointOf, type EndpointDeps } from './endpoints.ts';
import { MODELS } from './asset-kinds.ts';
import { latestVersion } from './asset-lists.ts';
import { removeDeployment, writeDeployment } from './watched-deployments.ts';
import { checkIfMatch, writeResource, type Author } from './write-resource.ts';

export interface DeploymentDeps extends EndpointDeps {
  readonly workspace: WorkspaceAddress;
  /** Throws ModelFault for a model that cannot be used. */
  proveModel(model: ModelRecord): Promise<void>;
}

const ASSET = 'properties.model.assetId';

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
  const model = await usableModel(deps, sent.model);
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
      model: { name: model.name, version: model.version },
      settings: withSettings(ScoringSettings.parse({}), sent, sent.resources?.instanceCount),
      compute: sent.compute ?? null,
      codeConfiguration: sent.codeConfiguration ?? null,
      environmentId: sent.environmentId ?? null,
      environmentVariables: sent.environmentVariables ?? {},
    }),
    by.ifMatch,
  );
  if (!(await deps.registry.endpoints.get(endpoint.name))) {
    await removeDeployment(deps, [endpoint.name, name]);
    throw notFound(`Endpoint '${endpoint.name}' was deleted meanwhile.`);
  }
  return written;
}

/** Changes description, tags, properties and settings; the model stays. Throws ApiError 400, 404. */
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
    const asked = await referencedModel(deps, sent.model);
    if (asked.name !== before.model.name || asked.version !== before.model.version)
      throw badRequest('A PATCH cannot change the model; PUT the deployment instead.', 'properties.model');
  }
  const { record } = await writeDeployment(
    deps,
    [endpoint.name, name],
    (stored) => {
      if (!stored) throw notFound(`Deployment '${name}' does not exist in endpoint '${endpoint.name}'.`);
      return {
        ...stored,
        description: sent.description === undefined ? stored.description : sent.description,
        tags: body.tags ?? stored.tags,
        properties: sent.properties ?? stored.properties,
        modifiedAt: new Date(deps.clock.now()).toISOString(),
        settings: withSettings(stored.settings, sent, sent.resources?.instanceCount),
        compute: sent.compute ?? stored.compute,
        codeConfiguration: sent.codeConfiguration ?? stored.codeConfiguration,
        environmentId: sent.environmentId ?? stored.environmentId,
        environmentVariables: sent.environmentVariables ?? stored.environmentVariables,
      };
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

type SentModel = NonNullable<NonNullable<DeploymentBody['properties']>['model']>;

async function referencedModel(deps: DeploymentDeps, sent: SentModel | undefined): Promise<ModelRecord> {
  if (!sent)
    throw badRequest(
      'properties.model: is required, such as {"referenceType":"Id","assetId":"azureml:<name>:<version>"}.',
      'properties.model',
    );
  if (sent.referenceType !== 'Id')
    throw badRequest(
      `properties.model.referenceType: ${sent.referenceType} is not supported; register the model and use Id.`,
      'properties.model.referenceType',
    );
  if (sent.assetId === undefined) throw badRequest(`${ASSET}: is required`, ASSET);
  const asked = parseModelReference(sent.assetId, deps.workspace, ASSET);
  const found = asked.isLabel
    ? await latestVersion(deps, MODELS, asked.name)
    : (await deps.registry.models.get(asked.name, asked.version))?.value;
  if (!found) throw badRequest(`${ASSET}: model '${asked.name}' version '${asked.version}' is not registered.`, ASSET);
  return found;
}

async function usableModel(deps: DeploymentDeps, sent: SentModel | undefined): Promise<ModelRecord> {
  const model = await referencedModel(deps, sent);
  const isOnnx =
    Object.keys(model.content.flavors).some((flavor) => flavor.toLowerCase() === 'onnx') ||
    model.files.some(({ path }) => path.toLowerCase().endsWith('.onnx'));
  if (!isOnnx)
    throw badRequest(
      `Model '${model.name}' version '${model.version}' cannot be deployed: supported are ONNX models, that is a file *.onnx or an MLflow model with the onnx flavor.`,
      'properties.model',
    );
  try {
    await deps.proveModel(model);
  } catch (error) {
    if (error instanceof ModelFault) throw badRequest(error.message, 'properties.model');
    throw error;
  }
  return model;
}

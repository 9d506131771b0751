import type { Caller } from '../auth/caller.ts';
import {
  isPipelineDeployment,
  type DeploymentRecord,
  type ModelDeployment,
  type PipelineDeployment,
} from '../domain/deployment-record.ts';
import { runAsOf } from '../domain/deployment-extensions.ts';
import { badRequest, conflict, notFound } from '../domain/errors.ts';
import { withSettings } from '../domain/invocation-settings.ts';
import type { DeploymentBody } from '../domain/management.ts';
import { endpointNameFault } from '../domain/management-names.ts';
import { DEFAULT_SIZE } from '../domain/mini-batches.ts';
import { ScoringSettings } from '../domain/settings.ts';
import { maxInstancesOf } from './computes.ts';
import { checkDeclared } from './deployment-data.ts';
import {
  checkSettings,
  ownExtensions,
  proveScorer,
  sentCode,
  sentModel,
  type ScorerDeps,
} from './deployment-scorer.ts';
import { endpointOf, type EndpointDeps } from './endpoints.ts';
import { refuseWatch, sentPipeline, type DeployPipelineDeps } from './pipeline/deploy-pipeline.ts';
import { removeDeployment, writeDeployment } from './watched-deployments.ts';
import { checkIfMatch, writeResource, type Author } from './write-resource.ts';

export type DeploymentDeps = EndpointDeps & ScorerDeps & DeployPipelineDeps;

type Sent = NonNullable<DeploymentBody['properties']>;

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

/**
 * Makes a deployment or replaces it, after its model or its pipeline was proved usable. Throws ApiError 400, 404 for the endpoint, 403
 * for data that it declares and `caller` may not use.
 */
export async function putDeployment(
  deps: DeploymentDeps,
  endpointName: string,
  name: string,
  body: DeploymentBody,
  by: Author,
  caller: Caller,
): Promise<{ record: DeploymentRecord; created: boolean }> {
  const endpoint = await endpointOf(deps, endpointName);
  const fault = endpointNameFault(name, 'a deployment');
  if (fault !== undefined) throw badRequest(fault, 'name');
  const sent = body.properties ?? {};
  const { miniBatchUnit = 'files' } = ownExtensions(sent.properties ?? {});
  await maxInstancesOf(deps, sent.compute ?? null);
  const defaults = ScoringSettings.parse({ miniBatchSize: DEFAULT_SIZE[miniBatchUnit] });
  const settings = withSettings(defaults, sent, sent.resources?.instanceCount);
  const runs = sent.deploymentConfiguration ? await sentPipeline(deps, sent) : await sentScorer(deps, sent, settings);
  const properties = sent.properties ?? {};
  runAsOf({ properties, isPipeline: 'pipeline' in runs });
  await checkDeclared(deps, { endpoint: endpoint.name, name, properties }, caller);
  const now = new Date(deps.clock.now()).toISOString();
  const written = await writeDeployment(
    deps,
    [endpoint.name, name],
    (stored) => ({
      endpoint: endpoint.name,
      name: stored?.name ?? name,
      description: sent.description ?? null,
      tags: body.tags ?? {},
      properties,
      createdAt: stored?.createdAt ?? now,
      createdBy: stored?.createdBy ?? by.subject,
      modifiedAt: now,
      compute: sent.compute ?? null,
      settings,
      ...runs,
    }),
    by.ifMatch,
  );
  if (!(await deps.registry.endpoints.get(endpoint.name))) {
    await removeDeployment(deps, [endpoint.name, name]);
    throw notFound(`Endpoint '${endpoint.name}' was deleted meanwhile.`);
  }
  return written;
}

/** What a deployment scores with, proved usable. Throws ApiError 400. */
async function sentScorer(deps: DeploymentDeps, sent: Sent, settings: ScoringSettings) {
  const { name, version } = await sentModel(deps, sent.model);
  const scorer = { model: { name, version }, ...NO_CODE, ...(await sentCode(deps, sent)) };
  const record = { ...scorer, settings, properties: sent.properties ?? {} };
  checkSettings(record, deps);
  await proveScorer(deps, record);
  return scorer;
}

/**
 * Changes description, tags, properties, settings, code and environment; the model or the pipeline component stays. Throws ApiError
 * 400, 403, 404.
 */
export async function patchDeployment(
  deps: DeploymentDeps,
  endpointName: string,
  name: string,
  body: DeploymentBody,
  by: Author,
  caller: Caller,
): Promise<DeploymentRecord> {
  const endpoint = await endpointOf(deps, endpointName);
  const before = await deploymentOf(deps, endpoint.name, name);
  const sent = body.properties ?? {};
  ownExtensions(sent.properties ?? {});
  await maxInstancesOf(deps, sent.compute ?? null);
  const changed = isPipelineDeployment(before)
    ? await changedPipeline(deps, before, sent)
    : await changedScorer(deps, before, sent);
  if (sent.properties) {
    runAsOf({ properties: sent.properties, isPipeline: isPipelineDeployment(before) });
    await checkDeclared(deps, { ...before, properties: sent.properties }, caller);
  }
  const { record } = await writeDeployment(
    deps,
    [endpoint.name, name],
    (stored) => {
      if (!stored) throw notFound(`Deployment '${name}' does not exist in endpoint '${endpoint.name}'.`);
      return {
        ...changed(stored),
        description: sent.description === undefined ? stored.description : sent.description,
        tags: body.tags ?? stored.tags,
        properties: sent.properties ?? stored.properties,
        modifiedAt: new Date(deps.clock.now()).toISOString(),
        compute: sent.compute ?? stored.compute,
      };
    },
    by.ifMatch,
  );
  return record;
}

/** What is stored now with what a PATCH changes of it. */
type Changed = (stored: DeploymentRecord) => DeploymentRecord;

async function changedScorer(deps: DeploymentDeps, before: ModelDeployment, sent: Sent): Promise<Changed> {
  if (sent.deploymentConfiguration) throw otherKind('properties.deploymentConfiguration');
  if (sent.model) {
    const asked = await sentModel(deps, sent.model);
    if (asked.name !== before.model.name || asked.version !== before.model.version)
      throw badRequest('A PATCH cannot change the model; PUT the deployment instead.', 'properties.model');
  }
  const code = await sentCode(deps, sent);
  const properties = sent.properties ?? before.properties;
  const cutsFiles = (ownExtensions(properties).miniBatchUnit ?? 'files') !== 'files';
  if (Object.keys(code).length > 0 || (sent.properties && cutsFiles))
    await proveScorer(deps, { ...before, ...code, properties });
  return (stored) => {
    if (isPipelineDeployment(stored)) throw replaced(stored);
    const settings = withSettings(stored.settings, sent, sent.resources?.instanceCount);
    const patched = { ...stored, ...code, settings };
    checkSettings({ ...patched, properties: sent.properties ?? stored.properties }, deps);
    return patched;
  };
}

async function changedPipeline(deps: DeploymentDeps, before: PipelineDeployment, sent: Sent): Promise<Changed> {
  if (sent.model) throw otherKind('properties.model');
  refuseWatch(sent.properties ?? {});
  const { pipeline } = sent.deploymentConfiguration ? await sentPipeline(deps, sent) : before;
  const { name, version } = pipeline.component;
  if (name !== before.pipeline.component.name || version !== before.pipeline.component.version)
    throw badRequest(
      'A PATCH cannot change the component; PUT the deployment instead.',
      'properties.deploymentConfiguration.componentId',
    );
  return (stored) => {
    if (!isPipelineDeployment(stored)) throw replaced(stored);
    const settings = withSettings(stored.settings, sent, sent.resources?.instanceCount);
    return { ...stored, settings, pipeline: sent.deploymentConfiguration ? pipeline : stored.pipeline };
  };
}

const otherKind = (target: string) =>
  badRequest('A PATCH cannot put a model in place of a pipeline or back; PUT the deployment instead.', target);

const replaced = ({ name }: DeploymentRecord) => conflict(`Deployment '${name}' was replaced meanwhile.`);

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

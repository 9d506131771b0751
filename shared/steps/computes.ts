import { parseComputeReference } from '../domain/compute-reference.ts';
import { badRequest, conflict, resourceNotFound } from '../domain/errors.ts';
import { COMPUTE_NAME_RULE, isComputeName } from '../domain/management-names.ts';
import type { ComputeRecord } from '../domain/resources.ts';
import type { WorkspaceAddress } from '../domain/uri.ts';
import { ComputeBody, MAX_NODES, type ComputePatch } from '../domain/workspace-bodies.ts';
import type { PageOfRecords } from '../storage/registry/collection.ts';
import type { Registry } from '../storage/registry/resources.ts';
import type { Clock } from './ports.ts';
import { removeResource, writeResource, type Author } from './write-resource.ts';

export interface ComputeDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly workspace: WorkspaceAddress & { readonly location: string };
}

/** This app's own instances: what a deployment runs on that names no cluster. It is always there and limits nothing. */
export const DEFAULT_COMPUTE = 'default';

const isDefault = (name: string): boolean => name.toLowerCase() === DEFAULT_COMPUTE;

const BEGINNING = new Date(0).toISOString();

const defaultCompute = ({ workspace }: Pick<ComputeDeps, 'workspace'>): ComputeRecord => {
  const scaleSettings = { maxNodeCount: MAX_NODES };
  const { properties } = ComputeBody.parse({
    properties: { computeType: 'AmlCompute', properties: { scaleSettings } },
  });
  const { scaleSettings: scale, ...cluster } = properties.properties;
  return {
    name: DEFAULT_COMPUTE,
    description: "The app's own instances.",
    tags: {},
    properties: {},
    createdAt: BEGINNING,
    createdBy: '',
    modifiedAt: BEGINNING,
    location: workspace.location,
    disableLocalAuth: true,
    cluster,
    scale,
  };
};

/** Throws ApiError 404. */
export async function computeOf(deps: ComputeDeps, name: string): Promise<ComputeRecord> {
  if (isDefault(name)) return defaultCompute(deps);
  const found = await deps.registry.computes.get(name);
  if (!found) throw resourceNotFound(`Compute '${name.slice(0, 80)}'`);
  return found.value;
}

/** The app's own first, then clusters in name order. */
export async function listComputes(
  deps: ComputeDeps,
  limit: number,
  continuation?: string,
): Promise<PageOfRecords<ComputeRecord>> {
  const page = await deps.registry.computes.list([], limit, continuation);
  return continuation === undefined ? { ...page, records: [defaultCompute(deps), ...page.records] } : page;
}

/** Throws ApiError 400 for a wrong name, 409 for the app's own compute. */
export async function putCompute(
  deps: ComputeDeps,
  name: string,
  body: ComputeBody,
  by: Author,
): Promise<{ record: ComputeRecord; created: boolean }> {
  if (!isComputeName(name)) throw badRequest(`The name of a compute ${COMPUTE_NAME_RULE}.`, 'name');
  refuseDefault(name);
  const now = new Date(deps.clock.now()).toISOString();
  const { scaleSettings: scale, ...cluster } = body.properties.properties;
  return writeResource(
    deps.registry.computes,
    [name],
    (stored) => ({
      name: stored?.name ?? name,
      description: body.properties.description ?? null,
      tags: body.tags ?? {},
      properties: {},
      createdAt: stored?.createdAt ?? now,
      createdBy: stored?.createdBy ?? by.subject,
      modifiedAt: now,
      location: body.location ?? deps.workspace.location,
      disableLocalAuth: body.properties.disableLocalAuth,
      cluster,
      scale,
    }),
    by.ifMatch,
  );
}

/** Changes the scale settings and tags. Throws ApiError 404. */
export async function patchCompute(
  deps: ComputeDeps,
  name: string,
  body: ComputePatch,
  by: Author,
): Promise<ComputeRecord> {
  refuseDefault(name);
  await computeOf(deps, name);
  const { record } = await writeResource(
    deps.registry.computes,
    [name],
    (stored) => {
      if (!stored) throw resourceNotFound(`Compute '${name}'`);
      return {
        ...stored,
        tags: body.tags ?? stored.tags,
        scale: body.properties?.properties.scaleSettings ?? stored.scale,
        modifiedAt: new Date(deps.clock.now()).toISOString(),
      };
    },
    by.ifMatch,
  );
  return record;
}

/** False when it was not there. Deployments that name it refuse to be invoked from then on. */
export async function deleteCompute(deps: ComputeDeps, name: string, by: Author): Promise<boolean> {
  refuseDefault(name);
  return removeResource(deps.registry.computes, [name], by.ifMatch);
}

/**
 * How many instances the compute of a deployment has at most; undefined for the app's own, and for a deployment that names
 * none. Throws ApiError 400 with the call that makes it when there is no such compute.
 */
export async function maxInstancesOf(
  { registry, workspace }: { readonly registry: Registry; readonly workspace: WorkspaceAddress },
  compute: string | null,
  target = 'properties.compute',
): Promise<number | undefined> {
  if (compute === null || compute === '') return undefined;
  const name = parseComputeReference(compute, workspace, target);
  if (isDefault(name)) return undefined;
  const found = await registry.computes.get(name);
  if (found) return found.value.scale.maxNodeCount;
  throw badRequest(
    `${target}: compute '${name}' does not exist. Create it with ml_client.compute.begin_create_or_update(AmlCompute(name="${name}", max_instances=4)).result(), or leave it out to run on the app's own instances.`,
    target,
  );
}

function refuseDefault(name: string): void {
  if (isDefault(name))
    throw conflict(
      `Compute '${DEFAULT_COMPUTE}' stands for the app's own instances and cannot be changed; use another name.`,
    );
}

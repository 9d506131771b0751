import { isDeepStrictEqual } from 'node:util';
import { badRequest, conflict } from '../domain/errors.ts';
import type { ModelBody } from '../domain/management.ts';
import { ASSET_NAME_RULE, isModelName, isModelVersion } from '../domain/management-names.ts';
import type { ModelRecord } from '../domain/resources.ts';
import { parseDataUri, type DatastoreAddress, type WorkspaceAddress } from '../domain/uri.ts';
import type { Blobs } from '../storage/ports.ts';
import { allRecords, type Registry } from '../storage/registry/resources.ts';
import type { Datastore } from './deps.ts';
import { copyModelFiles } from './register-model-files.ts';
import type { Clock } from './ports.ts';
import { writeResource } from './write-resource.ts';

export interface ModelDeps {
  readonly registry: Registry;
  readonly datastores: readonly Datastore[];
  readonly systemBlobs: Blobs;
  readonly workspace: WorkspaceAddress;
  readonly clock: Clock;
}

const URI = 'properties.modelUri';

/**
 * Registers a model version: its files are copied into the app's own container, so that no later write to the datastore
 * changes what a deployment scores with. A version that is there keeps its files; its description, tags and properties may
 * change. Throws ApiError 400, 403 for the URI, 409 for another content under the same version.
 */
export async function registerModel(
  deps: ModelDeps,
  name: string,
  version: string,
  body: ModelBody,
  caller: string,
): Promise<{ record: ModelRecord; created: boolean }> {
  if (!isModelName(name)) throw badRequest(`The model's name ${ASSET_NAME_RULE}.`, 'name');
  if (!isModelVersion(version)) throw badRequest(`The model's version ${ASSET_NAME_RULE}.`, 'version');
  const { description = null, tags = {}, properties = {}, modelType, modelUri, flavors } = body.properties;
  const now = new Date(deps.clock.now()).toISOString();
  const source = sourceOf(deps, modelUri);
  return writeResource(deps.registry.models, [name, version], async (stored) => {
    const changes = { description, tags, properties, modifiedAt: now };
    if (!stored) {
      const files = await copyModelFiles(source, deps.systemBlobs, { name, version }, URI);
      return { name, version, ...changes, createdAt: now, createdBy: caller, modelType, modelUri, flavors, files };
    }
    const before = parseDataUri(stored.modelUri, uriRules(deps), URI);
    const same =
      isDeepStrictEqual(before, source.address) &&
      stored.modelType === modelType &&
      isDeepStrictEqual(stored.flavors, flavors);
    if (!same)
      throw conflict(
        `Model '${name}' version '${version}' is registered from '${stored.modelUri}' as ${stored.modelType}; a version never changes. Register a new version.`,
      );
    return { ...stored, ...changes };
  });
}

/** The version that was registered last. */
export async function latestVersion(
  { registry }: Pick<ModelDeps, 'registry'>,
  name: string,
): Promise<ModelRecord | undefined> {
  let latest: ModelRecord | undefined;
  for await (const one of allRecords(registry.models, [name] as const))
    if (!latest || one.createdAt > latest.createdAt || (one.createdAt === latest.createdAt && isAfter(one, latest)))
      latest = one;
  return latest;
}

/** The number for the next version, as Azure ML suggests it: one above the highest that is a number. */
export async function nextVersion({ registry }: Pick<ModelDeps, 'registry'>, name: string): Promise<string> {
  let highest = 0;
  for await (const { version } of allRecords(registry.models, [name] as const))
    if (/^\d{1,15}$/.test(version)) highest = Math.max(highest, Number(version));
  return String(highest + 1);
}

/** Among versions of one moment the higher number is the later one. */
const isAfter = (one: ModelRecord, other: ModelRecord): boolean =>
  one.version.localeCompare(other.version, 'en', { numeric: true }) > 0;

const uriRules = (deps: ModelDeps): { workspace: WorkspaceAddress; datastores: DatastoreAddress[] } => ({
  workspace: deps.workspace,
  datastores: deps.datastores.map((store) => store.address),
});

function sourceOf(deps: ModelDeps, modelUri: string) {
  const address = parseDataUri(modelUri, uriRules(deps), URI);
  const store = deps.datastores.find((candidate) => candidate.address.name === address.datastore);
  if (!store) throw new Error(`datastore ${address.datastore} is not configured`);
  return { address, blobs: store.blobs };
}

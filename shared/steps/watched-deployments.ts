import { ApiError } from '../domain/errors.ts';
import type { DeploymentRecord } from '../domain/deployment-record.ts';
import type { DatastoreAddress } from '../domain/uri.ts';
import { containerKey, folderKey, isWatched, watchOf, type Watch } from '../domain/watch.ts';
import type { Registry } from '../storage/registry/resources.ts';
import type { Datastores } from './datastore-source.ts';
import { removeResource, writeResource } from './write-resource.ts';

export interface WatchedDeps {
  readonly registry: Registry;
  readonly datastores: Pick<Datastores, 'list' | 'find'>;
}

type Name = readonly [endpoint: string, deployment: string];

/**
 * Writes a deployment with the index row of what it watches: the row before the document, the row of what it watched before
 * after it. Throws ApiError 400 for a watch that cannot be.
 */
export async function writeDeployment(
  deps: WatchedDeps,
  name: Name,
  make: (stored: DeploymentRecord | undefined) => DeploymentRecord,
  ifMatch?: string,
): Promise<{ record: DeploymentRecord; created: boolean }> {
  let before: Watch | undefined;
  let after: Watch | undefined;
  const written = await writeResource(
    deps.registry.deployments,
    name,
    async (stored) => {
      const record = make(stored);
      const addresses = await addressesOf(deps);
      before = stored && storedWatch(stored, addresses);
      after = watchOf(record, addresses);
      if (after) await addToIndex(deps, after);
      return record;
    },
    ifMatch,
  );
  await settleIndex(deps, name, before, after);
  return written;
}

/** Removes a deployment and the index row of what it watched. False when it was not there. */
export async function removeDeployment(deps: WatchedDeps, name: Name, ifMatch?: string): Promise<boolean> {
  const stored = await deps.registry.deployments.get(...name);
  const removed = await removeResource(deps.registry.deployments, name, ifMatch);
  await settleIndex(deps, name, stored && storedWatch(stored.value, await addressesOf(deps)), undefined);
  return removed;
}

/** The watches of a datastore's container that one of the blobs is for, as their deployments say now: an index row is a hint. */
export const watchesOver = (deps: WatchedDeps, datastore: string, ...blobs: readonly string[]): Promise<Watch[]> =>
  watchesAmong(deps, datastore, blobs, (watch) => blobs.some((blob) => isWatched(watch, blob)));

/** The watches over a file, or over some file of a folder whose names are not known yet. */
export const watchesInto = (deps: WatchedDeps, datastore: string, path: string): Promise<Watch[]> =>
  watchesAmong(deps, datastore, [path], (watch) => path.endsWith('/') || isWatched(watch, path));

async function watchesAmong(
  deps: WatchedDeps,
  datastore: string,
  paths: readonly string[],
  isFor: (watch: Watch) => boolean,
): Promise<Watch[]> {
  const { registry } = deps;
  const addresses = await addressesOf(deps);
  // A signed URL's store is in no list.
  const store = (await deps.datastores.find(datastore))?.address;
  if (!store) return [];
  const found: Watch[] = [];
  for (const hint of await registry.watches.candidates(containerKey(store), ...paths)) {
    const deployment = await registry.deployments.get(hint.endpoint, hint.deployment);
    const watch = deployment && storedWatch(deployment.value, addresses);
    if (watch && folderKey(watch) === folderKey(hint) && isFor(watch)) found.push(watch);
  }
  return found;
}

const addressesOf = async ({ datastores }: WatchedDeps): Promise<DatastoreAddress[]> =>
  (await datastores.list()).map(({ address }) => address);

/** What a deployment watches; undefined also for a datastore that is not there any more. */
export function storedWatch(
  deployment: Pick<DeploymentRecord, 'endpoint' | 'name' | 'properties'>,
  datastores: readonly DatastoreAddress[],
): Watch | undefined {
  try {
    return watchOf(deployment, datastores);
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

const containerOf = async (deps: WatchedDeps, { datastore }: Watch): Promise<string> => {
  const store = (await addressesOf(deps)).find(({ name }) => name === datastore);
  if (!store) throw new Error(`datastore ${datastore} is not there any more`);
  return containerKey(store);
};

const addToIndex = async (deps: WatchedDeps, watch: Watch): Promise<void> =>
  deps.registry.watches.add(await containerOf(deps, watch), watch);

/**
 * After a document was written or removed: what it said before loses its row, unless the document that stands by now says the
 * same. The row of that one is added last, because somebody else may just have removed it.
 */
async function settleIndex(
  deps: WatchedDeps,
  name: Name,
  before: Watch | undefined,
  after: Watch | undefined,
): Promise<void> {
  if (!before && !after) return;
  const standing = async (): Promise<Watch | undefined> => {
    const now = await deps.registry.deployments.get(...name);
    return now && storedWatch(now.value, await addressesOf(deps));
  };
  const current = await standing();
  if (before && !(current && folderKey(before) === folderKey(current)))
    await deps.registry.watches.remove(await containerOf(deps, before), before);
  const last = await standing();
  if (last) await addToIndex(deps, last);
}

import { conflict } from '../domain/errors.ts';
import type { AssetRecord } from '../domain/resources.ts';
import { keysOf, type AssetDeps, type AssetKind } from './asset-kinds.ts';
import { listVersions } from './asset-lists.ts';
import { removeResource, type Author } from './write-resource.ts';

/** Removes a version. False when it was not there; ApiError 409 while something uses it. */
export async function deleteVersion<R extends AssetRecord>(
  deps: AssetDeps,
  kind: AssetKind<R>,
  name: string,
  version: string,
  by: Author,
): Promise<boolean> {
  const found = await kind.versions(deps.registry).get(name, version);
  if (!found) return false;
  await checkUnused(deps, kind, found.value);
  return removeVersion(deps, kind, found.value, by.ifMatch);
}

/** Removes an asset with all its versions. False when it was not there; ApiError 409 while something uses one of them. */
export async function deleteContainer<R extends AssetRecord>(
  deps: AssetDeps,
  kind: AssetKind<R>,
  name: string,
  by: Author,
): Promise<boolean> {
  if (!(await deps.registry.containers.get(kind.kind, name))) return false;
  const versions: R[] = [];
  let continuation: string | undefined;
  do {
    const page = await listVersions(deps, kind, name, 'oldest', () => true, 1000, continuation);
    versions.push(...page.records);
    continuation = page.continuation;
  } while (continuation !== undefined);
  for (const record of versions) await checkUnused(deps, kind, record);
  const removed = await removeResource(deps.registry.containers, [kind.kind, name], by.ifMatch);
  for (const record of versions) await removeVersion(deps, kind, record);
  return removed;
}

/** The record goes first: what is left of a removal that broke off is reachable by nobody. */
async function removeVersion<R extends AssetRecord>(
  deps: AssetDeps,
  kind: AssetKind<R>,
  record: R,
  ifMatch?: string,
): Promise<boolean> {
  const removed = await removeResource(kind.versions(deps.registry), [record.name, record.version], ifMatch);
  for (const under of keysOf(kind, record)) await deps.registry.versionIndex.remove(kind.kind, record, under);
  await kind.release?.(deps, record);
  return removed;
}

async function checkUnused<R extends AssetRecord>(deps: AssetDeps, kind: AssetKind<R>, record: R): Promise<void> {
  const user = await kind.user?.(deps, record);
  if (user !== undefined)
    throw conflict(`${kind.noun} '${record.name}' version '${record.version}' is used by ${user}; remove that first.`);
}

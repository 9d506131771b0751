import type { AssetContainerBody } from '../domain/asset-bodies.ts';
import { badRequest, resourceNotFound } from '../domain/errors.ts';
import { ASSET_NAME_RULE, isAssetName } from '../domain/management-names.ts';
import type { AssetContainerRecord, AssetRecord } from '../domain/resources.ts';
import type { PageOfRecords } from '../storage/registry/collection.ts';
import type { AssetDeps, AssetKind } from './asset-kinds.ts';
import { isInView, latestVersion, nextVersion, type ListDeps, type ListView } from './asset-lists.ts';
import { filteredPage } from './filtered-page.ts';
import { writeResource, type Author } from './write-resource.ts';

/** What versions share, with what is looked up in them. */
export interface AssetContainer {
  readonly record: AssetContainerRecord;
  /** Undefined while there is none. */
  readonly latest: AssetRecord | undefined;
  readonly nextVersion: string;
}

export function checkAssetName({ noun }: Pick<AssetKind, 'noun'>, name: string): void {
  if (!isAssetName(name)) throw badRequest(`The name of a ${noun.toLowerCase()} ${ASSET_NAME_RULE}.`, 'name');
}

/** Throws ApiError 404. */
export async function containerOf(deps: ListDeps, kind: AssetKind, name: string): Promise<AssetContainer> {
  const found = await deps.registry.containers.get(kind.kind, name);
  if (!found) throw resourceNotFound(`${kind.noun} '${name.slice(0, 80)}'`);
  return withVersions(deps, kind, found.value);
}

/** Containers in name order, without those that hold anonymous assets. */
export async function listContainers(
  deps: ListDeps,
  kind: AssetKind,
  view: ListView,
  limit: number,
  continuation: string | undefined,
): Promise<PageOfRecords<AssetContainer>> {
  const page = await filteredPage(
    (count, from) => deps.registry.containers.list([kind.kind], count, from),
    (record) => isInView(record, view) && !record.isAnonymous,
    limit,
    continuation,
  );
  return { ...page, records: await Promise.all(page.records.map((record) => withVersions(deps, kind, record))) };
}

/** Makes a container or changes its description, tags, properties and whether it is archived. */
export async function putContainer(
  deps: AssetDeps,
  kind: AssetKind,
  name: string,
  { properties: sent }: AssetContainerBody,
  by: Author,
): Promise<{ container: AssetContainer; created: boolean }> {
  checkAssetName(kind, name);
  const now = new Date(deps.clock.now()).toISOString();
  const { description = null, tags = {}, properties = {}, isArchived } = sent;
  const written = await writeResource(
    deps.registry.containers,
    [kind.kind, name],
    (stored) => ({
      kind: kind.kind,
      name: stored?.name ?? name,
      description,
      tags,
      properties,
      createdAt: stored?.createdAt ?? now,
      createdBy: stored?.createdBy ?? by.subject,
      modifiedAt: now,
      isArchived: isArchived ?? stored?.isArchived ?? false,
      isAnonymous: stored?.isAnonymous ?? false,
    }),
    by.ifMatch,
  );
  return { container: await withVersions(deps, kind, written.record), created: written.created };
}

/** Every version has a container: its first one makes it. */
export async function ensureContainer(deps: AssetDeps, { kind }: AssetKind, first: AssetRecord): Promise<void> {
  const { name, createdAt, createdBy, isAnonymous } = first;
  if (await deps.registry.containers.get(kind, name)) return;
  const empty = { description: null, tags: {}, properties: {}, isArchived: false };
  await deps.registry.containers.create({
    kind,
    name,
    ...empty,
    createdAt,
    createdBy,
    modifiedAt: createdAt,
    isAnonymous,
  });
}

async function withVersions(deps: ListDeps, kind: AssetKind, record: AssetContainerRecord): Promise<AssetContainer> {
  const [latest, next] = await Promise.all([
    latestVersion(deps, kind, record.name),
    nextVersion(deps, kind, record.name),
  ]);
  return { record, latest, nextVersion: next };
}

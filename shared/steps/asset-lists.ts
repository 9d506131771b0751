import { isAssetName } from '../domain/management-names.ts';
import type { AssetRecord } from '../domain/resources.ts';
import type { PageOfRecords } from '../storage/registry/collection.ts';
import type { Registry } from '../storage/registry/resources.ts';
import type { VersionOrder } from '../storage/registry/version-index.ts';
import { isHashKey, type AssetKind } from './asset-kinds.ts';
import { filteredPage } from './filtered-page.ts';

export const LIST_VIEWS = ['ActiveOnly', 'ArchivedOnly', 'All'] as const;
export type ListView = (typeof LIST_VIEWS)[number];

export const isInView = ({ isArchived }: { readonly isArchived: boolean }, view: ListView): boolean =>
  view === 'All' || isArchived === (view === 'ArchivedOnly');

export interface ListDeps {
  readonly registry: Registry;
}

/** Versions by the time of their making, under a name or another key (`AssetKind.key`); none where nothing is. */
export async function listVersions<R extends AssetRecord>(
  { registry }: ListDeps,
  kind: AssetKind<R>,
  under: string,
  order: VersionOrder,
  keep: (record: R) => boolean,
  limit: number,
  continuation?: string,
): Promise<PageOfRecords<R>> {
  if (!isAssetName(under) && !isHashKey(under)) return { records: [] };
  const versions = kind.versions(registry);
  const read = async (count: number, from: string | undefined): Promise<PageOfRecords<R>> => {
    const page = await registry.versionIndex.list(kind.kind, under, order, count, from);
    const found = await Promise.all(page.versions.map(({ name, version }) => versions.get(name, version)));
    return {
      records: found.flatMap((one, i) =>
        one && one.value.createdAt === page.versions[i]?.createdAt ? [one.value] : [],
      ),
      ...(page.continuation !== undefined && { continuation: page.continuation }),
    };
  };
  return filteredPage(read, keep, limit, continuation);
}

/** The version that was registered last and is not archived; the last of all when every one is. */
export async function latestVersion<R extends AssetRecord>(
  deps: ListDeps,
  kind: AssetKind<R>,
  name: string,
): Promise<R | undefined> {
  return (await first(deps, kind, name, (record) => !record.isArchived)) ?? (await first(deps, kind, name, () => true));
}

async function first<R extends AssetRecord>(
  deps: ListDeps,
  kind: AssetKind<R>,
  name: string,
  keep: (record: R) => boolean,
): Promise<R | undefined> {
  let continuation: string | undefined;
  do {
    const page = await listVersions(deps, kind, name, 'newest', keep, 1, continuation);
    if (page.records[0]) return page.records[0];
    continuation = page.continuation;
  } while (continuation !== undefined);
  return undefined;
}

/** The number for the next version, as Azure ML suggests it: one above the highest that is a number. */
export const nextVersion = async ({ registry }: ListDeps, { kind }: AssetKind, name: string): Promise<string> =>
  String((await registry.versionIndex.highestNumber(kind, name)) + 1);

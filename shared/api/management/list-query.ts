import { caselessEnum } from '../../domain/caseless.ts';
import { checked } from '../../domain/checked.ts';
import type { AssetRecord } from '../../domain/resources.ts';
import { isInView, LIST_VIEWS, type ListView } from '../../steps/asset-lists.ts';
import { VERSION_ORDERS, type VersionOrder } from '../../storage/registry/version-index.ts';

/** What the list of an asset's versions is asked for. */
export interface VersionQuery {
  readonly order: VersionOrder;
  /** Code is asked for by its hash, whatever its name. */
  readonly hash: string | undefined;
  keep(record: AssetRecord): boolean;
  /** One text for equal queries: a page token is good for its own list alone. */
  readonly key: string;
}

export const View = caselessEnum(LIST_VIEWS).default('ActiveOnly');

/** `createdtime desc` is what the SDK sends. */
export const Order = caselessEnum(VERSION_ORDERS, {
  'createdtime desc': 'newest',
  'createdtime asc': 'oldest',
  createdtime: 'oldest',
}).default('newest');

const named = (url: URL, name: string): string | undefined =>
  [...url.searchParams].find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];

export const listView = (url: URL): ListView => checked(View, named(url, 'listViewType'), 'listViewType');

/** Reads `$orderBy`, `listViewType`, `tags` (`a,b=1`), and for code `hash` and `hashVersion`. Throws ApiError 400. */
export function versionQuery(url: URL): VersionQuery {
  const view = listView(url);
  const order = checked(Order, named(url, '$orderBy'), '$orderBy');
  const hash = named(url, 'hash');
  const hashVersion = named(url, 'hashVersion');
  const tags = (named(url, 'tags') ?? '').split(',').filter((tag) => tag !== '');
  return {
    order,
    hash,
    key: JSON.stringify([view, order, hash ?? null, hashVersion ?? null, tags]),
    keep: (record) =>
      isInView(record, view) &&
      (hashVersion === undefined || record.properties['hash_version'] === hashVersion) &&
      tags.every((tag) => hasTag(record, tag)),
  };
}

/** A tag is asked for by its name, or by `name=value`. */
export function hasTag({ tags }: { readonly tags: Readonly<Record<string, string>> }, asked: string): boolean {
  const [name = '', ...value] = asked.split('=');
  return Object.hasOwn(tags, name) && (value.length === 0 || tags[name] === value.join('='));
}

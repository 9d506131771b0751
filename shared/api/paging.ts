import { PageSize } from '../domain/management.ts';
import { badRequest } from '../domain/errors.ts';
import { checked } from '../domain/checked.ts';
import type { SignedIds } from './signed-ids.ts';

const DEFAULT_PAGE = 100;

/** A job of a list is two reads of storage: as many as are answered in well under half a second, also over Azurite (docs/performance.md). */
export const PAGE_OF_JOBS = 20;

export interface PageRequest {
  readonly limit: number;
  readonly continuation?: string;
}

/** A parameter that clients spell in several ways, such as `$skiptoken` and `$skip`; names (lower-case here) match in any case. */
export function query(url: URL, names: readonly string[]): string | undefined {
  const found = [...url.searchParams].filter(([name]) => names.includes(name.toLowerCase()));
  if (found.length > 1) throw badRequest(`Give one of ${names.join(', ')}, once.`, names[0]);
  return found[0]?.[1];
}

/** What page of the list `scope` a request asks for. Throws ApiError 400. */
export async function pageRequest(url: URL, scope: string, ids: SignedIds, usual = DEFAULT_PAGE): Promise<PageRequest> {
  const limit = query(url, ['limit', '$top', 'count']);
  const token = query(url, ['$skiptoken', '$skip']);
  return {
    limit: limit === undefined ? usual : checked(PageSize, limit, 'limit'),
    ...(token !== undefined && { continuation: await ids.open(scope, token) }),
  };
}

/** The URL of the page after this one, or null. `self` is the list's own URL as clients reach it, with its other parameters. */
export async function nextLink(
  self: URL,
  scope: string,
  continuation: string | undefined,
  ids: SignedIds,
): Promise<string | null> {
  if (continuation === undefined) return null;
  const next = new URL(self);
  for (const name of [...next.searchParams.keys()])
    if (['$skiptoken', '$skip'].includes(name.toLowerCase())) next.searchParams.delete(name);
  next.searchParams.set('$skiptoken', await ids.seal(scope, continuation));
  return next.href;
}

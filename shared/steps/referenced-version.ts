import { parseAssetReference, type AskedAsset } from '../domain/asset-reference.ts';
import { badRequest } from '../domain/errors.ts';
import type { AssetRecord } from '../domain/resources.ts';
import type { WorkspaceAddress } from '../domain/uri.ts';
import type { AssetKind } from './asset-kinds.ts';
import { latestVersion, type ListDeps } from './asset-lists.ts';

export interface ReferenceDeps extends ListDeps {
  readonly workspace: WorkspaceAddress;
}

/** What a client's id names, and its record where that is registered. Throws ApiError 400 for a text that is no id. */
export async function lookUp<R extends AssetRecord>(
  deps: ReferenceDeps,
  kind: AssetKind<R>,
  id: string,
  target: string,
): Promise<{ asked: AskedAsset; found: R | undefined }> {
  const asked = parseAssetReference(kind.kind, id, deps.workspace, target);
  const found = asked.isLabel
    ? await latestVersion(deps, kind, asked.name)
    : (await kind.versions(deps.registry).get(asked.name, asked.version))?.value;
  return { asked, found };
}

/** The registered version that a client's id names. Throws ApiError 400. */
export async function referencedVersion<R extends AssetRecord>(
  deps: ReferenceDeps,
  kind: AssetKind<R>,
  id: string,
  target: string,
): Promise<R> {
  const { asked, found } = await lookUp(deps, kind, id, target);
  if (!found) throw notRegistered(kind, asked, target);
  return found;
}

export const notRegistered = (
  { noun }: Pick<AssetKind, 'noun'>,
  { name, version }: AskedAsset,
  target: string,
): Error => badRequest(`${target}: ${noun.toLowerCase()} '${name}' version '${version}' is not registered.`, target);

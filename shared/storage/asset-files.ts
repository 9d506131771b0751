import type { BlobRef } from './ports.ts';

/** Kinds of assets whose files are the app's own copies; no caller can address their containers. */
export type FileKind = 'models' | 'codes';

/** The app's own container for the files of a kind of assets. */
export const assetContainer = (kind: FileKind): string => `batchpoint-${kind}`;

/** Where a registered file lies; name and version as the record writes them. */
export const assetFile = (
  kind: FileKind,
  asset: { readonly name: string; readonly version: string },
  path: string,
): BlobRef => ({ container: assetContainer(kind), name: `${asset.name}/${asset.version}/${path}` });

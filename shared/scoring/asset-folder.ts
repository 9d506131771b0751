import type { AssetFiles } from '../domain/resources.ts';
import { assetFile, type FileKind } from '../storage/asset-files.ts';
import type { Blobs } from '../storage/ports.ts';
import type { FolderSource } from './local-folders.ts';

/** A registered version with files. */
export interface FiledAsset extends AssetFiles {
  readonly name: string;
  readonly version: string;
  readonly createdAt: string;
}

/** Another text for every version that ever was, also for one that was deleted and registered again. */
export const assetKey = (kind: FileKind, { name, version, createdAt }: FiledAsset): string =>
  `${kind}/${name}/${version}/${createdAt}`;

/** The folder that a model lies in below AZUREML_MODEL_DIR, with a slash at its end; '' for a single file. */
export const modelBase = ({ folder }: AssetFiles): string => (folder === undefined ? '' : `${folder}/`);

/**
 * A version's files as they lie on this machine's disk: those of code in the folder itself, a model below it under its own base
 * name, folder or file, because the folder becomes AZUREML_MODEL_DIR (contract 5.3).
 */
export function assetFolder(kind: FileKind, asset: FiledAsset, blobs: Blobs): FolderSource {
  const base = kind === 'models' ? modelBase(asset) : '';
  return {
    key: assetKey(kind, asset),
    files: asset.files.map(({ path, length }) => ({ path: base + path, length })),
    async read(path) {
      const found = await blobs.read(assetFile(kind, asset, path.slice(base.length)));
      if (!found) throw new Error(`the file ${path} of ${kind} ${asset.name} version ${asset.version} is gone`);
      return found.body;
    },
  };
}

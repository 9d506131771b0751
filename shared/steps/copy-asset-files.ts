import { sha256 } from '../domain/blocks.ts';
import { badRequest, conflict } from '../domain/errors.ts';
import type { AssetFiles } from '../domain/resources.ts';
import { badBlobName, type DataAddress } from '../domain/uri.ts';
import { assetContainer, assetFile, type FileKind } from '../storage/asset-files.ts';
import type { BlobRef, Blobs } from '../storage/ports.ts';
import { isConflict, StorageFault } from '../storage/ports.ts';

/** What a version of a kind of assets may hold; `noun` is for error texts. */
const LIMITS = {
  models: { noun: 'model', files: 1000, bytes: 2 * 1024 ** 3 },
  codes: { noun: 'code', files: 2000, bytes: 300 * 1024 ** 2 },
} as const;
type Limits = (typeof LIMITS)[FileKind];

/** Metadata of a copy: hash of the place and ETag that it was made from. */
const SOURCE = 'batchpoint_source';

interface Source {
  readonly address: DataAddress;
  readonly blobs: Blobs;
}

/** The version whose files are copied, and the field of the request that names their source. */
interface Version {
  readonly kind: FileKind;
  readonly name: string;
  readonly version: string;
  readonly target: string;
}

interface SourceFile {
  readonly blob: BlobRef;
  readonly path: string;
  readonly length: number;
  readonly etag: string;
}

/**
 * Copies the file or folder at the source to where the version's files lie. A copy is never written over: what an
 * interrupted attempt left is kept if it came from the same bytes, and is a 409 otherwise. Throws ApiError 400 for a source
 * that is absent, empty, too large or unreadable.
 */
export async function copyAssetFiles(source: Source, systemBlobs: Blobs, version: Version): Promise<AssetFiles> {
  const { kind, target } = version;
  const limits = LIMITS[kind];
  const { files, folder } = await sourceFiles(source, limits, target);
  const misfit = files.find(({ path }) => badBlobName(assetFile(kind, version, path).name) !== undefined);
  if (misfit)
    throw badRequest(
      `The ${limits.noun}'s name, version and file '${misfit.path.slice(0, 200)}' are too long together.`,
      target,
    );
  await systemBlobs.ensureContainer(assetContainer(kind));
  for (const file of files) await copyFile(source.blobs, systemBlobs, file, version);
  return { files: files.map(({ path, length }) => ({ path, length })), ...(folder !== undefined && { folder }) };
}

async function copyFile(from: Blobs, to: Blobs, file: SourceFile, version: Version): Promise<void> {
  const { noun } = LIMITS[version.kind];
  const copy = assetFile(version.kind, version, file.path);
  const mark = sha256(`${file.blob.container}/${file.blob.name}@${file.etag}`);
  try {
    const found = await from.read(file.blob, { ifMatch: file.etag });
    if (!found) throw badRequest(`The ${noun}'s file '${file.path}' is gone.`, version.target);
    await to.writeStream(copy, found.body, { ifNoneMatch: '*', metadata: { [SOURCE]: mark } });
  } catch (error) {
    if (error instanceof StorageFault && error.code === 'ConditionNotMet')
      throw conflict(`The ${noun}'s file '${file.path}' changed while it was read; register the ${noun} again.`);
    if (!isConflict(error)) throw error;
    const there = await to.head(copy);
    if (there?.metadata[SOURCE] === mark) return;
    throw conflict(
      `Another registration of this version has already stored a different '${file.path}'; register a new version.`,
    );
  }
}

/** The files of the source in name order, and the name of the folder that they are in, unless it is one file or has none. */
async function sourceFiles(
  { address, blobs }: Source,
  limits: Limits,
  target: string,
): Promise<{ files: SourceFile[]; folder?: string }> {
  const { container, path } = address;
  if (path !== '' && !path.endsWith('/')) {
    const blob = { container, name: path };
    const found = await blobs.head(blob);
    if (found && found.metadata['hdi_isfolder'] !== 'true')
      return { files: [checkedFile({ blob, path: lastSegment(path), ...found }, 0, limits, target)] };
  }
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  const files: SourceFile[] = [];
  let bytes = 0;
  for await (const item of blobs.list(container, { prefix })) {
    if (item.name.endsWith('/') || item.metadata['hdi_isfolder'] === 'true') continue;
    const fault = badBlobName(item.name) ?? (item.accessTier === 'Archive' ? 'is in the archive tier' : undefined);
    if (fault !== undefined)
      throw badRequest(`The ${limits.noun} cannot be read: blob '${item.name.slice(0, 200)}' ${fault}.`, target);
    const blob = { container, name: item.name };
    files.push(checkedFile({ blob, path: item.name.slice(prefix.length), ...item }, bytes, limits, target));
    bytes += item.length;
    if (files.length > limits.files)
      throw badRequest(
        `A ${limits.noun} may have at most ${limits.files} files; there are more under '${prefix}'.`,
        target,
      );
  }
  if (files.length === 0)
    throw badRequest(
      `There is no file and no folder with files at '${path}' in datastore ${address.datastore}.`,
      target,
    );
  return prefix === '' ? { files } : { files, folder: lastSegment(prefix.slice(0, -1)) };
}

const lastSegment = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function checkedFile(
  { blob, path, length, etag }: SourceFile,
  before: number,
  limits: Limits,
  target: string,
): SourceFile {
  if (before + length > limits.bytes)
    throw badRequest(`A ${limits.noun} may have at most ${limits.bytes} bytes in all.`, target);
  return { blob, path, length, etag };
}

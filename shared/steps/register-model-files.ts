import { sha256 } from '../domain/blocks.ts';
import { badRequest, conflict } from '../domain/errors.ts';
import type { ModelRecord, ModelReference } from '../domain/resources.ts';
import { badBlobName, type DataAddress } from '../domain/uri.ts';
import type { BlobRef, Blobs } from '../storage/ports.ts';
import { isConflict, StorageFault } from '../storage/ports.ts';

/** The app's own container for models; no caller can address it. */
export const MODELS_CONTAINER = 'batchpoint-models';

/** Where a registered file lies; name and version as the record writes them. */
export const modelFile = (model: ModelReference, path: string): BlobRef => ({
  container: MODELS_CONTAINER,
  name: `${model.name}/${model.version}/${path}`,
});

export const MAX_MODEL_FILES = 1000;
export const MAX_MODEL_BYTES = 2 * 1024 ** 3;

/** Metadata of a copy: hash of the place and ETag that it was made from. */
const SOURCE = 'batchpoint_source';

interface Source {
  readonly address: DataAddress;
  readonly blobs: Blobs;
}

interface SourceFile {
  readonly blob: BlobRef;
  readonly path: string;
  readonly length: number;
  readonly etag: string;
}

/**
 * Copies the file or folder at the source to where the model's files lie. A copy is never written over: what an
 * interrupted attempt left is kept if it came from the same bytes, and is a 409 otherwise. Throws ApiError 400 for a source
 * that is absent, empty, too large or unreadable.
 */
export async function copyModelFiles(
  source: Source,
  systemBlobs: Blobs,
  model: ModelReference,
  target: string,
): Promise<ModelRecord['files']> {
  const files = await sourceFiles(source, target);
  const misfit = files.find(({ path }) => badBlobName(modelFile(model, path).name) !== undefined);
  if (misfit)
    throw badRequest(
      `The model's name, version and file '${misfit.path.slice(0, 200)}' are too long together.`,
      target,
    );
  await systemBlobs.ensureContainer(MODELS_CONTAINER);
  for (const file of files) await copyFile(source.blobs, systemBlobs, file, modelFile(model, file.path), target);
  return files.map(({ path, length }) => ({ path, length }));
}

async function copyFile(from: Blobs, to: Blobs, file: SourceFile, copy: BlobRef, target: string): Promise<void> {
  const mark = sha256(`${file.blob.container}/${file.blob.name}@${file.etag}`);
  try {
    const found = await from.read(file.blob, { ifMatch: file.etag });
    if (!found) throw badRequest(`The model's file '${file.path}' is gone.`, target);
    await to.writeStream(copy, found.body, { ifNoneMatch: '*', metadata: { [SOURCE]: mark } });
  } catch (error) {
    if (error instanceof StorageFault && error.code === 'ConditionNotMet')
      throw conflict(`The model's file '${file.path}' changed while it was read; register the model again.`);
    if (!isConflict(error)) throw error;
    const there = await to.head(copy);
    if (there?.metadata[SOURCE] === mark) return;
    throw conflict(
      `Another registration of this version has already stored a different '${file.path}'; register a new version.`,
    );
  }
}

async function sourceFiles({ address, blobs }: Source, target: string): Promise<SourceFile[]> {
  const { container, path } = address;
  if (path !== '' && !path.endsWith('/')) {
    const blob = { container, name: path };
    const found = await blobs.head(blob);
    if (found && found.metadata['hdi_isfolder'] !== 'true')
      return [checkedFile({ blob, path: path.split('/').at(-1) ?? path, ...found }, 0, target)];
  }
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  const files: SourceFile[] = [];
  let bytes = 0;
  for await (const item of blobs.list(container, { prefix })) {
    if (item.name.endsWith('/') || item.metadata['hdi_isfolder'] === 'true') continue;
    const fault = badBlobName(item.name) ?? (item.accessTier === 'Archive' ? 'is in the archive tier' : undefined);
    if (fault !== undefined)
      throw badRequest(`The model cannot be read: blob '${item.name.slice(0, 200)}' ${fault}.`, target);
    files.push(
      checkedFile(
        { blob: { container, name: item.name }, path: item.name.slice(prefix.length), ...item },
        bytes,
        target,
      ),
    );
    bytes += item.length;
    if (files.length > MAX_MODEL_FILES)
      throw badRequest(`A model may have at most ${MAX_MODEL_FILES} files; there are more under '${prefix}'.`, target);
  }
  if (files.length === 0)
    throw badRequest(
      `There is no file and no folder with files at '${path}' in datastore ${address.datastore}.`,
      target,
    );
  return files;
}

function checkedFile({ blob, path, length, etag }: SourceFile, before: number, target: string): SourceFile {
  if (before + length > MAX_MODEL_BYTES)
    throw badRequest(`A model may have at most ${MAX_MODEL_BYTES} bytes in all.`, target);
  return { blob, path, length, etag };
}

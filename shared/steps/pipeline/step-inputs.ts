import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { JobFault } from '../../domain/errors.ts';
import { mapOrStop } from '../../domain/map-bounded.ts';
import type { PathType } from '../../domain/pipeline/model.ts';
import type { ModelRecord } from '../../domain/resources.ts';
import { badBlobName, type DataAddress } from '../../domain/uri.ts';
import { assetFile } from '../../storage/asset-files.ts';
import { type BlobItem, type BlobRef, type Blobs, StorageFault } from '../../storage/ports.ts';
import type { StepDeps } from './step-deps.ts';

/** Where an input's files lie: a place of a datastore, or the files that were kept when a model was registered. */
export type StepInput =
  | { readonly from: 'datastore'; readonly type: PathType; readonly address: DataAddress }
  | { readonly from: 'model'; readonly type: PathType; readonly model: ModelRecord };

const MAX_FILES = 100_000;
const MAX_SEGMENT_BYTES = 255;
const DOWNLOADS = 8;

/** A blob to bring, and where it comes to lie below the input's folder. */
interface InputBlob {
  readonly blobs: Blobs;
  readonly ref: BlobRef;
  readonly etag: string | undefined;
  readonly bytes: number;
  readonly path: string;
}

interface Listed {
  readonly files: readonly InputBlob[];
  /** A single file is named by its own path, a folder by the folder's. */
  readonly single: boolean;
}

/**
 * Brings the inputs of a step into `<folder>/<name>`. Answers the local path of each: of the file, or of the folder. Throws
 * JobFault for an input that is absent, too large, changed meanwhile, or has names that no file can have.
 */
export async function fetchInputs(
  deps: Pick<StepDeps, 'datastore' | 'systemBlobs' | 'limits'>,
  folder: string,
  inputs: Readonly<Record<string, StepInput>>,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const paths: Record<string, string> = {};
  let left = deps.limits.diskBytes;
  for (const [name, input] of Object.entries(inputs)) {
    const target = join(folder, name);
    const { files, single } = await listed(deps, name, input, signal);
    left -= files.reduce((sum, { bytes }) => sum + bytes, 0);
    if (left < 0)
      throw new JobFault(
        'DiskLimit',
        `Input '${name}': the inputs of the step are larger than ${Math.floor(deps.limits.diskBytes / 1024 ** 2)} MB. The limit is the setting BATCHPOINT_STEP_DISK_MB.`,
      );
    await mkdir(target);
    await mapOrStop(files, DOWNLOADS, signal, (file, stop) => download(name, file, join(target, file.path), stop));
    paths[name] = single && files[0] ? join(target, files[0].path) : target;
  }
  return paths;
}

async function listed(
  deps: Pick<StepDeps, 'datastore' | 'systemBlobs'>,
  name: string,
  input: StepInput,
  signal: AbortSignal,
): Promise<Listed> {
  if (input.from === 'model') return modelFiles(deps.systemBlobs, input);
  const { address, type } = input;
  const store = deps.datastore(address.datastore);
  if (!store) throw new JobFault('InputNotFound', `Input '${name}': datastore '${address.datastore}' does not exist.`);
  const { container, path } = address;
  if (type !== 'uri_folder' && path !== '' && !path.endsWith('/')) {
    const ref = { container, name: path };
    const found = await store.blobs.head(ref);
    if (found && found.metadata['hdi_isfolder'] !== 'true') {
      const file = { blobs: store.blobs, ref, etag: found.etag, bytes: found.length, path: lastPart(path) };
      return { files: [file], single: true };
    }
  }
  const what = type === 'uri_file' ? 'file' : type === 'uri_folder' ? 'folder' : 'model';
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  const files = type === 'uri_file' ? [] : await folderFiles(store.blobs, container, prefix, name, signal);
  if (files.length === 0)
    throw new JobFault(
      'InputNotFound',
      `Input '${name}': the ${what} '${path}' in datastore ${address.datastore} does not exist.`,
    );
  return { files, single: false };
}

/** Registered files never change, so they need no ETag. A model that was made of one file is that file. */
function modelFiles(blobs: Blobs, { model, type }: Extract<StepInput, { from: 'model' }>): Listed {
  const files = model.files.map(({ path, length }) => ({
    blobs,
    ref: assetFile('models', model, path),
    etag: undefined,
    bytes: length,
    path,
  }));
  const [only] = model.files;
  const single = type !== 'mlflow_model' && files.length === 1 && lastPart(model.content.modelUri) === only?.path;
  return { files, single };
}

async function folderFiles(
  blobs: Blobs,
  container: string,
  prefix: string,
  name: string,
  signal: AbortSignal,
): Promise<InputBlob[]> {
  const files: InputBlob[] = [];
  for await (const item of blobs.list(container, { prefix, signal })) {
    if (item.name.endsWith('/') || item.metadata['hdi_isfolder'] === 'true') continue;
    const fault = faultOf(item);
    if (fault !== undefined)
      throw new JobFault('BadInput', `Input '${name}': blob '${item.name.slice(0, 200)}' ${fault}.`);
    files.push({
      blobs,
      ref: { container, name: item.name },
      etag: item.etag,
      bytes: item.length,
      path: item.name.slice(prefix.length),
    });
    if (files.length > MAX_FILES)
      throw new JobFault('BadInput', `Input '${name}': the folder has more than ${MAX_FILES} files.`);
  }
  return files;
}

function faultOf({ name, accessTier }: BlobItem): string | undefined {
  const long = name.split('/').find((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES);
  if (long !== undefined) return `has a name of more than ${MAX_SEGMENT_BYTES} bytes in it`;
  return badBlobName(name) ?? (accessTier === 'Archive' ? 'is in the archive tier; rehydrate it first' : undefined);
}

/** What a file system answers when a file and a folder, or two files on a disk that ignores case, have one name. */
const COLLISIONS = new Set(['EEXIST', 'ENOTDIR', 'EISDIR']);

async function download(name: string, file: InputBlob, path: string, signal: AbortSignal): Promise<void> {
  const fault = (code: string, why: string) =>
    new JobFault(code, `Input '${name}': blob '${file.ref.name.slice(0, 200)}' ${why}.`);
  try {
    const found = await file.blobs.read(file.ref, {
      signal,
      ...(file.etag === undefined ? {} : { ifMatch: file.etag }),
    });
    if (!found) throw fault('InputChanged', 'was removed while it was read');
    await mkdir(dirname(path), { recursive: true });
    await using handle = await open(path, 'wx');
    await handle.writeFile(found.body);
  } catch (error) {
    if (error instanceof StorageFault && error.status === 412) throw fault('InputChanged', 'changed while it was read');
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && COLLISIONS.has(error.code))
      throw fault('BadInput', 'has the name of another file or folder of the input');
    throw error;
  }
}

const lastPart = (path: string): string => path.split('/').at(-1) ?? path;

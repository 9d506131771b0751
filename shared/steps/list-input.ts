import { JobFault } from '../domain/errors.ts';
import type { Limits } from '../domain/limits.ts';
import { mapBounded } from '../domain/map-bounded.ts';
import type { InputFile, InputList } from '../domain/plan.ts';
import { badBlobName, type DataAddress } from '../domain/uri.ts';
import { isGzip } from '../formats/file-format.ts';
import type { BlobItem, Blobs } from '../storage/ports.ts';

/** Where an input is listed, and how many files it may have. */
export interface InputSource {
  readonly blobs: Blobs;
  readonly limits: Pick<Limits, 'files'>;
}

/** Metadata by which an errors file is known, so that a folder that was an output can be an input. */
export const ERRORS_MARK = 'batchpoint_errors';

/**
 * The input's blobs in name order with the ETag and length that they have now. Throws JobFault for an input that is absent or
 * empty; a blob that cannot be read becomes a file with a fault, which fails as data.
 */
export async function listInput(
  { blobs, limits }: InputSource,
  kind: 'UriFile' | 'UriFolder',
  address: DataAddress,
  recursive: boolean,
): Promise<InputFile[]> {
  const where = `'${address.path}' in datastore ${address.datastore}`;
  if (kind === 'UriFile') {
    const found = await blobs.head({ container: address.container, name: address.path });
    if (!found) throw new JobFault('InputNotFound', `The input file ${where} does not exist.`);
    return [
      {
        blob: address.path,
        name: address.path.split('/').at(-1) ?? address.path,
        etag: found.etag,
        length: found.length,
        ...encodingOf(found.contentEncoding),
      },
    ];
  }
  const prefix = address.path === '' || address.path.endsWith('/') ? address.path : `${address.path}/`;
  const files: InputFile[] = [];
  let below = false;
  for await (const item of blobs.list(address.container, { prefix })) {
    if (isMarker(item, prefix)) continue;
    if (!recursive && item.name.slice(prefix.length).includes('/')) {
      below = true;
      continue;
    }
    files.push(inputFile(item, prefix));
    // Before all of a folder that is too large is in memory.
    checkFiles(limits, files.length);
  }
  if (files.length > 0) return files;
  if (below)
    throw new JobFault(
      'InputEmpty',
      `The input folder ${where} holds only folders. Set the deployment's property batchpoint.recursive to 'true' to look into them.`,
    );
  throw new JobFault('InputEmpty', `The input folder ${where} is empty or does not exist.`);
}

/** Throws JobFault for more files than a job may have. */
function checkFiles(limits: InputSource['limits'], count: number): void {
  if (count > limits.files)
    throw new JobFault('TooManyFiles', `The input holds more files than the ${limits.files} that a job may have.`);
}

/** Requests on their way at once. */
const WIDTH = 16;

/**
 * The blob versions of a list, named by their path below the folder. One that is gone or was overwritten since becomes a file
 * with a fault: what replaced it is another version, for another job.
 */
export async function pinListed(
  { blobs, limits }: InputSource,
  folder: DataAddress,
  list: InputList,
): Promise<InputFile[]> {
  checkFiles(limits, list.length);
  return mapBounded(list, WIDTH, async ({ blob, etag }) => {
    const name = blob.startsWith(folder.path) ? blob.slice(folder.path.length) : blob;
    const found = await blobs.head({ container: folder.container, name: blob });
    const pinned = { blob, name, etag, length: found?.etag === etag ? found.length : 0 };
    if (!found) return { ...pinned, fault: changed('deleted') };
    if (found.etag !== etag) return { ...pinned, fault: changed('overwritten') };
    return { ...pinned, ...encodingOf(found.contentEncoding) };
  });
}

const changed = (how: string) => ({ code: 'InputChanged', reason: `The file was ${how} before the job was planned.` });

/** Directory markers and our own errors files are no data. */
const isMarker = (item: BlobItem, prefix: string): boolean =>
  item.name === prefix ||
  (item.length === 0 && item.name.endsWith('/')) ||
  item.metadata['hdi_isfolder'] === 'true' ||
  item.metadata[ERRORS_MARK] !== undefined;

function inputFile(item: BlobItem, prefix: string): InputFile {
  const base = { blob: item.name, name: item.name.slice(prefix.length), etag: item.etag, length: item.length };
  const bad = badBlobName(item.name);
  if (bad !== undefined) return { ...base, fault: { code: 'BadName', reason: `The blob's name ${bad}.` } };
  if (item.accessTier === 'Archive')
    return { ...base, fault: { code: 'Archived', reason: 'The blob is in the archive tier; rehydrate it first.' } };
  return { ...base, ...encodingOf(item.contentEncoding) };
}

/** The engine unpacks gzip; of any other encoding it could only read nonsense. */
function encodingOf(encoding: string | undefined): Pick<InputFile, 'contentEncoding' | 'fault'> {
  if (encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity') return {};
  if (isGzip(encoding)) return { contentEncoding: encoding };
  const reason = `The blob has Content-Encoding '${encoding.slice(0, 40)}'; store it unpacked, or as gzip.`;
  return { fault: { code: 'UnsupportedEncoding', reason } };
}

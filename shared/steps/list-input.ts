import { byteOrder } from '../domain/byte-order.ts';
import { JobFault } from '../domain/errors.ts';
import type { Limits } from '../domain/limits.ts';
import { mapBounded } from '../domain/map-bounded.ts';
import type { InputFile, InputList } from '../domain/plan.ts';
import type { ListedTo } from '../domain/segments.ts';
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

/** Which part of an input is listed. */
export interface ListingPart {
  /** Absent: from its beginning. */
  readonly from?: ListedTo | undefined;
  /** Files before it. */
  readonly before: number;
  /** Files at most. */
  readonly size: number;
}

export interface ListedPart {
  readonly files: InputFile[];
  /** Where the next part begins; absent when there is no further file. */
  readonly next?: ListedTo;
}

/**
 * A part of the input's blobs in name order, with the ETag and length that they have now. Throws JobFault for an input that is
 * absent, empty or too large; a blob that cannot be read becomes a file with a fault, which fails as data.
 */
export async function listInput(
  source: InputSource,
  kind: 'UriFile' | 'UriFolder',
  address: DataAddress,
  recursive: boolean,
  part: ListingPart,
): Promise<ListedPart> {
  if (kind === 'UriFile') return { files: [await oneFile(source, address)] };
  const prefix = address.path === '' || address.path.endsWith('/') ? address.path : `${address.path}/`;
  const files: InputFile[] = [];
  let below = false;
  for await (const { items, at, next } of pagesFrom(source.blobs, address.container, prefix, part)) {
    let last = at.blob;
    for (const item of items) {
      if (isMarker(item, prefix)) continue;
      if (!recursive && item.name.slice(prefix.length).includes('/')) {
        below = true;
        continue;
      }
      // Before all of a folder that is too large is in memory.
      checkFiles(source.limits, part.before + files.length + 1);
      if (files.length === part.size) return { files, next: { ...at, ...(last !== undefined && { blob: last }) } };
      files.push(inputFile(item, prefix));
      last = item.name;
    }
    if (files.length === part.size && next !== undefined) return { files, next: { page: next } };
  }
  if (files.length === 0 && !part.from) throw emptyInput(whereOf(address), below);
  return { files };
}

const whereOf = ({ path, datastore }: DataAddress): string => `'${path}' in datastore ${datastore}`;

async function oneFile({ blobs }: InputSource, address: DataAddress): Promise<InputFile> {
  const found = await blobs.head({ container: address.container, name: address.path });
  if (!found) throw new JobFault('InputNotFound', `The input file ${whereOf(address)} does not exist.`);
  return {
    blob: address.path,
    name: address.path.split('/').at(-1) ?? address.path,
    etag: found.etag,
    length: found.length,
    ...encodingOf(found.contentEncoding),
  };
}

const emptyInput = (where: string, below: boolean): JobFault =>
  below
    ? new JobFault(
        'InputEmpty',
        `The input folder ${where} holds only folders. Set the deployment's property batchpoint.recursive to 'true' to look into them.`,
      )
    : new JobFault('InputEmpty', `The input folder ${where} is empty or does not exist.`);

/** Names that storage gives at most with one answer. */
const PAGE = 5000;

/**
 * The pages of a listing behind the last item that was taken before, each with where it begins. None is larger than the part: what
 * is listed beyond it would be listed again for the next one.
 */
async function* pagesFrom(
  blobs: Blobs,
  container: string,
  prefix: string,
  { from = {}, size }: ListingPart,
): AsyncGenerator<{ items: readonly BlobItem[]; at: ListedTo; next: string | undefined }, void, undefined> {
  let { page, blob: after } = from;
  const pageSize = Math.min(PAGE, size);
  do {
    const listed = await blobs.listPage(container, { prefix, pageSize, ...(page !== undefined && { page }) });
    const items = after === undefined ? listed.items : behind(listed.items, after);
    const at = { ...(page !== undefined && { page }), ...(after !== undefined && { blob: after }) };
    yield { items, at, next: listed.next };
    // It may lie on a later page than the one that was larger when it was taken.
    if (items.length > 0 || listed.items.some(({ name }) => name === after)) after = undefined;
    page = listed.next;
  } while (page !== undefined);
}

/** By its place, because not every account lists by bytes; by its name where it has been removed since. */
function behind(items: readonly BlobItem[], name: string): readonly BlobItem[] {
  const place = items.findIndex((item) => item.name === name);
  return place < 0 ? items.filter((item) => byteOrder(item.name, name) > 0) : items.slice(place + 1);
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

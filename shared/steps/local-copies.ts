import { closeSync, fstatSync, lstatSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mapBounded } from '../domain/map-bounded.ts';
import type { InputFile } from '../domain/plan.ts';
import { badBlobName } from '../domain/uri.ts';
import { FileFault } from '../formats/file-fault.ts';
import { isGzip } from '../formats/file-format.ts';
import { unpackedForDisk } from '../formats/gzip-source.ts';
import type { LocalFile } from '../scoring/engine.ts';
import { collect } from '../storage/json-blobs.ts';
import type { Blobs } from '../storage/ports.ts';
import { DELETED, ownFault, type Fault } from './slice-work.ts';
import { WorkFolderFault } from './work-folder.ts';

/** Downloads of a mini-batch on their way at once. */
const WIDTH = 8;

export interface CopySource {
  readonly blobs: Blobs;
  readonly container: string;
  /** Ends downloads. */
  readonly signal: AbortSignal;
  /** Whether small files stay in memory and are not written. */
  readonly inMemory: boolean;
}

/** Files of a mini-batch on this machine, and those that cannot be had. */
export interface Copied {
  readonly here: readonly LocalFile[];
  readonly failed: readonly { readonly file: InputFile; readonly fault: Fault }[];
}

/** How a copy looked on the disk when it was whole. */
interface Written {
  readonly length: number;
  readonly modifiedMs: number;
}

type Copy = Written | { readonly bytes: Uint8Array };

/**
 * Copies in memory, or below a folder that exists, each under its own name, for a user's code to read. A call answers when nothing is on its
 * way any more: missing files were downloaded, and so were those that the code has changed since. Throws the first fault of a
 * read, and WorkFolderFault.
 */
export function localCopies(source: CopySource, folder: string): (files: readonly InputFile[]) => Promise<Copied> {
  const copies = new Map<InputFile, Copy>();
  const faults = new Map<InputFile, Fault>();
  let held = 0;

  /** The bytes are the file's own: what Content-Encoding packs is unpacked, unless the name itself says that it is packed. */
  async function download(file: InputFile, path: string): Promise<Copy> {
    const { blobs, container, signal } = source;
    const packed = isGzip(file.contentEncoding) && !file.name.toLowerCase().endsWith('.gz');
    const small = !packed && file.length <= SMALL;
    const inMemory = small && source.inMemory && held + file.length <= HELD && mayLieOnDisk(file.name);
    if (inMemory) held += file.length;
    else if (file.name.includes('/')) await mkdir(dirname(path), { recursive: true });
    const found = await blobs.read({ container, name: file.blob }, { ifMatch: file.etag, signal });
    if (!found) throw new FileFault('InputChanged', DELETED);
    if (inMemory) return { bytes: await collect(found.body) };
    if (small) return writeSmall(path, await collect(found.body));
    return writeStream(path, packed ? unpackedForDisk(found.body) : found.body);
  }

  const copy = async (file: InputFile, path: string): Promise<void> => {
    const known = copies.get(file);
    if (known && isWhole(path, known)) return;
    try {
      if (known) await rm(path, { recursive: true, force: true });
      copies.delete(file);
      copies.set(file, await download(file, path));
    } catch (error) {
      const fault = ownFault(error) ?? badPath(error);
      if (!fault) throw diskCode(error) === undefined ? error : new WorkFolderFault(error);
      faults.set(file, fault);
    }
  };

  return async (files) => {
    const errors: unknown[] = [];
    const here: LocalFile[] = [];
    const failed: Copied['failed'][number][] = [];
    const paths = files.map((file) => pathIn(folder, file.name));
    await mapBounded([...files.entries()], WIDTH, async ([index, file]) => {
      const path = paths[index];
      const fault = file.fault ?? (path === undefined ? BAD_NAME : undefined);
      if (fault) faults.set(file, fault);
      if (path !== undefined && !faults.has(file)) await copy(file, path).catch((error: unknown) => errors.push(error));
    });
    if (errors.length > 0) throw errors[0];
    for (const [index, file] of files.entries()) {
      const fault = faults.get(file);
      const path = paths[index];
      if (fault) failed.push({ file, fault });
      else if (path !== undefined) here.push({ name: file.name, path, ...bytesOf(copies.get(file)) });
    }
    return { here, failed };
  };
}

const BAD_NAME: Fault = { code: 'BadName', reason: 'The name cannot be that of a file on disk.' };

/** Undefined for a name that is no path below the folder, segment by segment. */
const pathIn = (folder: string, name: string): string | undefined =>
  badBlobName(name) === undefined && !name.endsWith('/') ? join(folder, ...name.split('/')) : undefined;

const bytesOf = (copy: Copy | undefined): { readonly bytes?: Uint8Array } =>
  copy && 'bytes' in copy ? { bytes: copy.bytes } : {};

function isWhole(path: string, copy: Copy): boolean {
  if ('bytes' in copy) return true;
  try {
    const found = lstatSync(path);
    return found.isFile() && found.size === copy.length && found.mtimeMs === copy.modifiedMs;
  } catch {
    // Whatever stands in the way shows when the file is downloaded again.
    return false;
  }
}

/** Bytes of a file that is held in memory while it is copied, or instead. */
const SMALL = 256 * 1024;

/** Bytes of a mini-batch's files that stay in memory; a lane has two mini-batches here, and a third where it is small. */
const HELD = 8 * 1024 * 1024;

/** File systems refuse longer names. */
const NAME_BYTES = 255;

/** Whoever asks for a file's path gets it: what cannot have one fails before the code sees it. */
const mayLieOnDisk = (name: string): boolean =>
  name.split('/').every((segment) => Buffer.byteLength(segment) <= NAME_BYTES);

/** So that code which writes to its input by mistake learns it. */
const READ_ONLY = 0o444;

async function writeStream(path: string, body: AsyncIterable<Uint8Array>): Promise<Written> {
  const handle = await open(path, 'wx', READ_ONLY);
  try {
    await handle.writeFile(body);
    const { size, mtimeMs } = await handle.stat();
    return { length: size, modifiedMs: mtimeMs };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Four calls of microseconds: by way of the thread pool each would take the processor for ten times as long. */
function writeSmall(path: string, bytes: Uint8Array): Written {
  const file = openSync(path, 'wx', READ_ONLY);
  try {
    writeFileSync(file, bytes);
    const { size, mtimeMs } = fstatSync(file);
    return { length: size, modifiedMs: mtimeMs };
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** The code of a fault of this machine's disk. */
const diskCode = (error: unknown): string | undefined =>
  error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined;

/** A blob's name may be too long for a file, or be another's folder. */
function badPath(error: unknown): Fault | undefined {
  const code = diskCode(error) ?? '';
  if (!['ENAMETOOLONG', 'ENOTDIR', 'EEXIST', 'EISDIR'].includes(code)) return undefined;
  return { ...BAD_NAME, reason: `${BAD_NAME.reason.slice(0, -1)} (${code}).` };
}

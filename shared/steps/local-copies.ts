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
}

/** Files of a mini-batch on this machine's disk, and those that cannot be had. */
export interface Copied {
  readonly here: readonly LocalFile[];
  readonly failed: readonly { readonly file: InputFile; readonly fault: Fault }[];
}

/** How a copy looked when it was whole. */
interface Copy {
  readonly length: number;
  readonly modifiedMs: number;
}

/**
 * Copies below a folder that exists, each under its own name, for a user's code to read. A call answers when nothing is on its
 * way any more: missing files were downloaded, and so were those that the code has changed since. Throws the first fault of a
 * read, and WorkFolderFault.
 */
export function localCopies(source: CopySource, folder: string): (files: readonly InputFile[]) => Promise<Copied> {
  const copies = new Map<InputFile, Copy>();
  const faults = new Map<InputFile, Fault>();

  const copy = async (file: InputFile, path: string): Promise<void> => {
    const known = copies.get(file);
    if (known && isWhole(path, known)) return;
    try {
      if (known) await rm(path, { recursive: true, force: true });
      copies.delete(file);
      copies.set(file, await download(source, file, path));
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
      else if (path !== undefined) here.push({ name: file.name, path });
    }
    return { here, failed };
  };
}

const BAD_NAME: Fault = { code: 'BadName', reason: 'The name cannot be that of a file on disk.' };

/** Undefined for a name that is no path below the folder, segment by segment. */
const pathIn = (folder: string, name: string): string | undefined =>
  badBlobName(name) === undefined && !name.endsWith('/') ? join(folder, ...name.split('/')) : undefined;

function isWhole(path: string, { length, modifiedMs }: Copy): boolean {
  try {
    const found = lstatSync(path);
    return found.isFile() && found.size === length && found.mtimeMs === modifiedMs;
  } catch {
    // Whatever stands in the way shows when the file is downloaded again.
    return false;
  }
}

/** Bytes of a file that is held in memory while it is copied. */
const SMALL = 256 * 1024;

/** So that code which writes to its input by mistake learns it. */
const READ_ONLY = 0o444;

/** The bytes are the file's own: what Content-Encoding packs is unpacked, unless the name itself says that it is packed. */
async function download({ blobs, container, signal }: CopySource, file: InputFile, path: string): Promise<Copy> {
  if (file.name.includes('/')) await mkdir(dirname(path), { recursive: true });
  const found = await blobs.read({ container, name: file.blob }, { ifMatch: file.etag, signal });
  if (!found) throw new FileFault('InputChanged', DELETED);
  const packed = isGzip(file.contentEncoding) && !file.name.toLowerCase().endsWith('.gz');
  if (packed) return writeStream(path, unpackedForDisk(found.body));
  return file.length <= SMALL ? writeSmall(path, await collect(found.body)) : writeStream(path, found.body);
}

async function writeStream(path: string, body: AsyncIterable<Uint8Array>): Promise<Copy> {
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
function writeSmall(path: string, bytes: Uint8Array): Copy {
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

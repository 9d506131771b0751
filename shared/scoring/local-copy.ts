import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { mapBounded } from '../domain/map-bounded.ts';
import { ModelFault } from './engine.ts';

/** A file to be copied to this machine: where it goes below a folder, and its bytes. */
export interface CopiedFile {
  readonly path: string;
  readonly length: number;
}

/** More files than this in one version are refused: each is an inode of the machine's disk. */
const MOST_FILES = 100_000;
const FILES_AT_ONCE = 4;
const UNSAFE = /[\u0000-\u001f\u007f\\]/;

/**
 * Copies files into an empty folder, read-only. Throws ModelFault for paths that have no place below the folder, and an Error
 * for a file whose bytes are more or fewer than its length; then nothing is still being written, and the folder is the caller's
 * to remove.
 */
export async function copyFiles(
  folder: string,
  files: readonly CopiedFile[],
  read: (path: string) => Promise<AsyncIterable<Uint8Array>>,
): Promise<void> {
  checkPaths(files.map(({ path }) => path));
  const stop = new AbortController();
  await mapBounded(files, FILES_AT_ONCE, async (file) => {
    if (stop.signal.aborted) return;
    try {
      await copyFile(folder, file, await read(file.path), stop.signal);
    } catch (error) {
      stop.abort(error);
    }
  });
  stop.signal.throwIfAborted();
}

async function copyFile(
  folder: string,
  { path, length }: CopiedFile,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  // Exclusive: a name that is already there, also as a link or in other case on a disk without case, is never written through.
  const out = createWriteStream(target, { flags: 'wx', mode: 0o444 });
  await pipeline(Readable.from(exactly(length, body, path), { objectMode: false }), out, { signal });
}

/** Passes the bytes on; throws as soon as there is one too many, and at the end when some are missing. */
async function* exactly(
  length: number,
  body: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let seen = 0;
  for await (const bytes of body) {
    seen += bytes.length;
    if (seen > length) throw new Error(`${path} has more than its ${length} bytes.`);
    yield bytes;
  }
  if (seen < length) throw new Error(`${path} has ${seen} of its ${length} bytes.`);
}

/** Throws unless each path is a file of its own below a folder. */
function checkPaths(paths: readonly string[]): void {
  if (paths.length > MOST_FILES)
    throw new ModelFault(`There are ${paths.length} files; at most ${MOST_FILES} are allowed.`);
  const seen = new Set<string>();
  for (const path of paths) {
    const segments = path.split('/');
    if (UNSAFE.test(path) || segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
      throw new ModelFault(`The file name ${JSON.stringify(path)} does not lie below its folder.`);
    if (seen.has(path)) throw new ModelFault(`There are two files ${JSON.stringify(path)}.`);
    seen.add(path);
  }
  for (const path of seen) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const folder = path.slice(0, slash);
      if (seen.has(folder)) throw new ModelFault(`${JSON.stringify(folder)} is a file and a folder.`);
    }
  }
}

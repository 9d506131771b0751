import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openPlain } from '../scoring/plain-file.ts';

/**
 * Reading what a user's code left behind: no link is followed, nothing is read beyond a limit, and what is not there is empty.
 */

/** Names of the folders in a folder, in name order. */
export const foldersIn = (folder: string): Promise<string[]> => entriesIn(folder, 'folder');

/** Paths of the files below a folder, with `/`, in name order. */
export async function filesBelow(folder: string, atMost: number): Promise<string[]> {
  const found = await entriesIn(folder, 'file');
  for (const name of await foldersIn(folder)) {
    if (found.length >= atMost) break;
    const inner = await filesBelow(join(folder, name), atMost - found.length);
    found.push(...inner.map((path) => `${name}/${path}`));
  }
  return found.slice(0, atMost);
}

/** The text of a file, or its last bytes when it is longer; undefined when there is no such file. */
export async function lastText(path: string, atMost: number): Promise<string | undefined> {
  const handle = await orAbsent(openPlain(path));
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.min(size, atMost));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, Math.max(size - atMost, 0));
    return bytes.subarray(0, bytesRead).toString();
  } finally {
    await handle.close();
  }
}

async function entriesIn(folder: string, kind: 'file' | 'folder'): Promise<string[]> {
  const entries = (await orAbsent(readdir(folder, { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => (kind === 'file' ? entry.isFile() : entry.isDirectory()))
    .map(({ name }) => name)
    .sort();
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

async function orAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && ABSENT.has(error.code))
      return undefined;
    throw error;
  }
}

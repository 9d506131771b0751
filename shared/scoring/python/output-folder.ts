import { readdirSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withHeldFolder } from '../held-folder.ts';

/** Mostly there is nothing: then the thread pool would take longer than all else that happens to a mini-batch here. */
const isEmpty = (folder: string): boolean => readdirSync(folder).length === 0;

/**
 * Moves the files of a folder, also those in folders, into another. The folders stay: a script may have made them once, in
 * `init()`, and writes to them in each run. It may still be at work in them, so they are held.
 */
export async function moveFiles(from: string, to: string): Promise<void> {
  if (isEmpty(from)) return;
  await withHeldFolder(from, async ({ at }) => {
    for (const entry of await readdir(at(), { withFileTypes: true })) {
      const target = join(to, entry.name);
      if (entry.isDirectory()) {
        await moveFiles(at(entry.name), target);
      } else {
        await mkdir(to, { recursive: true });
        await moveFile(at(entry.name), target);
      }
    }
  });
}

async function moveFile(source: string, target: string): Promise<void> {
  try {
    await rename(source, target);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    // On another file system.
    await cp(source, target);
    await rm(source);
  }
}

/** Removes the files of a folder, also those in folders. The folders stay. */
export async function removeFiles(folder: string): Promise<void> {
  if (isEmpty(folder)) return;
  await withHeldFolder(folder, async ({ at }) => {
    for (const entry of await readdir(at(), { withFileTypes: true })) {
      const path = at(entry.name);
      if (entry.isDirectory()) await removeFiles(path);
      else await rm(path, { force: true });
    }
  });
}

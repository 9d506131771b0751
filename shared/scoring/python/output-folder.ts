import { readdirSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Moves the files of a folder, also those in folders, into another. The folders stay: a script may have made them once, in
 * `init()`, and writes to them in each run.
 */
export async function moveFiles(from: string, to: string): Promise<void> {
  // Mostly there is nothing: then the thread pool would take longer than all else that happens to a mini-batch here.
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      await moveFiles(source, target);
    } else {
      await mkdir(to, { recursive: true });
      await moveFile(source, target);
    }
  }
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
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await removeFiles(path);
    else await rm(path, { force: true });
  }
}

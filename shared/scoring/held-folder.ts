import { constants } from 'node:fs';
import { chmod, lchown, lstat, open, readdir, rm, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { CodeUser } from './code-user.ts';

/**
 * A folder that somebody else may change while we work in it: held open, so that its entries are its own whatever its path leads to
 * by now. On Linux, whose /proc shows open folders; elsewhere code has no user of its own that could want to deceive.
 */
export interface HeldFolder {
  readonly handle: FileHandle;
  /** Of the folder, or of an entry in it; good while it is held. */
  at(name?: string): string;
}

/** Holds a folder while `work` goes on. Throws ELOOP or ENOTDIR for a link. */
export async function withHeldFolder<T>(path: string, work: (folder: HeldFolder) => Promise<T>): Promise<T> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const base = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}/` : path;
    return await work({ handle, at: (name = '') => join(base, name) });
  } finally {
    await handle.close();
  }
}

/**
 * Removes a folder with all that is in it. Where `user` may write into it, no link that it puts there meanwhile leads elsewhere.
 * What is gone is gone.
 */
export async function removeFolder(path: string, user: CodeUser | undefined): Promise<void> {
  if (user === undefined) return rm(path, { recursive: true, force: true, maxRetries: 5 });
  await unlessGone(() => empty(path));
  await unlessGone(() => rmdir(path));
}

const empty = (path: string): Promise<void> =>
  withHeldFolder(path, async ({ handle, at }) => {
    // Nothing new comes into it from here on.
    await handle.chown(0, 0);
    await handle.chmod(0o700);
    for (const entry of await readdir(at(), { withFileTypes: true }))
      await unlessGone(async () => {
        const path = at(entry.name);
        if (!entry.isDirectory()) return unlink(path);
        await empty(path);
        await rmdir(path);
      });
  });

async function unlessGone(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** Makes a folder of a code user and all that is in it root's, which is the app: others may read and run it as before, but not write. */
export async function takeFolder(path: string): Promise<void> {
  await withHeldFolder(path, async ({ handle, at }) => {
    // Once the folder is ours, its entries stay what they are.
    await handle.chown(0, 0);
    await handle.chmod(0o755);
    for (const { name } of await readdir(at(), { withFileTypes: true })) {
      const entry = at(name);
      const found = await lstat(entry);
      if (found.isDirectory()) {
        await takeFolder(entry);
        continue;
      }
      await lchown(entry, 0, 0);
      if (found.isFile()) await chmod(entry, found.mode & 0o755);
    }
  });
}

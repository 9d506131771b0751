import { constants } from 'node:fs';
import { open, readlink, type FileHandle } from 'node:fs/promises';

/** What opening a link, and a path through what is no folder any more, are answered with. */
const NOT_PLAIN = new Set<unknown>(['ELOOP', 'ENOTDIR', 'ENXIO']);

/**
 * Opens a file that a user's code wrote, for reading. Undefined when it is no plain file, or not the one that lies at this path, which
 * has to be free of links: code that still runs may put one into any folder of its own. Throws ENOENT.
 */
export async function openPlain(path: string): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    // A pipe without a writer would be waited for.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_PLAIN.has(error.code)) return undefined;
    throw error;
  }
  let plain = false;
  try {
    plain = (await handle.stat()).isFile() && (await isAt(handle, path));
    return plain ? handle : undefined;
  } finally {
    if (!plain) await handle.close();
  }
}

/** Only Linux tells where an open file is. */
const isAt = async ({ fd }: FileHandle, path: string): Promise<boolean> =>
  process.platform !== 'linux' || (await readlink(`/proc/self/fd/${fd}`)) === path;

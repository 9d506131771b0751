import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** What a folder may hold that others change while it is looked at: what is gone is gone, what is closed to us stays unread. */
const UNSEEN = new Set(['ENOENT', 'EACCES']);

/** Bytes that a folder takes, sizes of files or of their blocks on disk, whichever is more. Stops counting above `limit`. */
export async function folderBytes(folder: string, limit: number): Promise<number> {
  let bytes = 0;
  const open = [folder];
  for (let next = open.pop(); next !== undefined && bytes <= limit; next = open.pop()) {
    const at = next;
    await ifSeen(async () => {
      for await (const entry of await opendir(at)) {
        const path = join(at, entry.name);
        if (entry.isDirectory()) open.push(path);
        else
          await ifSeen(async () => {
            const { size, blocks } = await lstat(path);
            bytes += Math.max(size, (blocks ?? 0) * 512);
          });
        if (bytes > limit) break;
      }
    });
  }
  return bytes;
}

async function ifSeen(look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string' && UNSEEN.has(error.code)))
      throw error;
  }
}

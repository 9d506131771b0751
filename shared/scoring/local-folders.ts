import { createHash } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CodeUser } from './code-user.ts';
import { copyFiles, type CopiedFile } from './local-copy.ts';
import { processFolder } from './process-folder.ts';

/** Files that never change, as of one version of a model or of code. */
export interface FolderSource {
  /** Two sources with one key have the same files with the same bytes. */
  readonly key: string;
  /** Paths have `/` between their parts. */
  readonly files: readonly CopiedFile[];
  /** The bytes of one of the files. */
  read(path: string): Promise<AsyncIterable<Uint8Array>>;
}

export interface FolderLease {
  /** Absolute; holds the source's files, read-only. */
  readonly path: string;
  /** The folder may be removed from now on. Releasing twice is releasing once. */
  release(): void;
}

export interface LocalFolders {
  /** A copy of the source's files on this machine's disk. It stays there until the lease is released. */
  lease(source: FolderSource): Promise<FolderLease>;
  /** Removes all copies, leased ones too, after those under way have ended. */
  close(): Promise<void>;
}

interface Entry {
  readonly copy: Promise<string>;
  readonly bytes: number;
  leases: number;
}

/**
 * Keeps local copies of immutable files, by key, in a folder of this process below `root`. However many ask at once, a key is
 * copied once; a failed copy is not kept, and a half copy is never seen. Above `maxBytes` the least recently used copies that
 * nobody leases are removed; leased ones may exceed the limit for as long. `user` may read them.
 */
export function localFolders({
  root,
  maxBytes,
  user,
}: {
  readonly root: string;
  readonly maxBytes: number;
  readonly user?: CodeUser | undefined;
}): LocalFolders {
  // A Map keeps the order of insertion: each lease puts its key at the end, so the first idle one is the oldest.
  const entries = new Map<string, Entry>();
  const removing = new Set<Promise<void>>();
  let own: Promise<string> | undefined;
  let copies = 0;
  let closed = false;

  const ownFolder = (): Promise<string> => {
    own ??= processFolder(root, user).catch((error: unknown) => {
      own = undefined;
      throw error;
    });
    return own;
  };

  async function copy({ key, files, read }: FolderSource): Promise<string> {
    // Numbered, so that a new copy never meets the old one of its key, which may still be on its way out.
    const name = `${createHash('sha256').update(key).digest('hex').slice(0, 32)}-${copies++}`;
    const folder = join(await ownFolder(), name);
    const part = `${folder}.part`;
    // What was evicted for this copy makes room first.
    await Promise.allSettled(removing);
    try {
      await mkdir(part);
      await copyFiles(part, files, read);
      await rename(part, folder);
    } catch (error) {
      await rm(part, { recursive: true, force: true });
      throw error;
    }
    return folder;
  }

  function remove(key: string, entry: Entry): void {
    entries.delete(key);
    const done = entry.copy.then((path) => rm(path, { recursive: true, force: true }));
    removing.add(done);
    // What could not be removed now is removed with everything by close(), which tells.
    const over = () => removing.delete(done);
    done.then(over, over);
  }

  function evict(): void {
    let total = [...entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [key, entry] of entries) {
      if (total <= maxBytes) return;
      if (entry.leases > 0) continue;
      total -= entry.bytes;
      remove(key, entry);
    }
  }

  function enter(source: FolderSource): Entry {
    const bytes = source.files.reduce((sum, { length }) => sum + length, 0);
    return { copy: copy(source), bytes, leases: 0 };
  }

  return {
    async lease(source) {
      if (closed) throw new Error('The local folders are closed.');
      const entry = entries.get(source.key) ?? enter(source);
      entry.leases++;
      entries.delete(source.key);
      entries.set(source.key, entry);
      evict();
      let path: string;
      try {
        path = await entry.copy;
      } catch (error) {
        if (entries.get(source.key) === entry) entries.delete(source.key);
        throw error;
      }
      let released = false;
      return {
        path,
        release() {
          if (released) return;
          released = true;
          entry.leases--;
          if (!closed) evict();
        },
      };
    },
    async close() {
      closed = true;
      await Promise.allSettled([...entries.values()].map(({ copy }) => copy));
      await Promise.allSettled(removing);
      if (own) await rm(await own, { recursive: true, force: true });
    },
  };
}

import { access, chown, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { mapBounded } from '../../domain/map-bounded.ts';
import { letThrough, type CodeUser } from '../code-user.ts';
import { removeFolder, takeFolder } from '../held-folder.ts';
import { livingFolders, processFolder } from '../process-folder.ts';
import { processLocks } from '../process-lock.ts';

export interface BuiltLease {
  readonly folder: string;
  /** The environment may be removed from now on. Releasing twice is releasing once. */
  release(): void;
}

export interface BuiltEnvironments {
  /** The environment of this key, made by `build` in an empty folder, where no process has made it before. */
  lease(key: string, build: (folder: string) => Promise<void>, waiting: () => void): Promise<BuiltLease>;
}

/** Written last into an environment; its time is when the environment was last asked for. */
const STAMP = 'batchpoint.json';
const Stamp = z.object({ bytes: z.number() });

/**
 * Environments on this machine's disk, shared by all processes that have this root. A key is built once, however many processes
 * ask; a build that fails or whose process dies leaves nothing. Above `maxBytes` the least recently used are removed, but none
 * that this process leases or that another living process has used.
 *
 * `user` builds them and may then only read them.
 *
 * `live/` has a folder for each process: what it builds, and in `uses/` a file for each environment that it uses.
 */
export async function builtEnvironments(setting: {
  readonly root: string;
  readonly maxBytes: number;
  readonly user?: CodeUser | undefined;
  readonly say: (line: string) => void;
}): Promise<BuiltEnvironments> {
  const { root, maxBytes, user, say } = setting;
  const built = join(root, 'built');
  const processes = join(root, 'live');
  const lockFolder = join(root, 'locks');
  await Promise.all([built, lockFolder].map((folder) => mkdir(folder, { recursive: true })));
  if (user) for (const folder of [root, built]) await letThrough(folder, user);
  const own = await processFolder(processes, user);
  await mkdir(join(own, 'uses'));
  const locks = processLocks((key) => join(lockFolder, key));
  const leases = new Map<string, number>();
  let drafts = 0;

  async function make(key: string, build: (folder: string) => Promise<void>): Promise<boolean> {
    const folder = join(built, key);
    if (await isThere(join(folder, STAMP))) {
      await utimes(join(folder, STAMP), new Date(), new Date());
      return false;
    }
    const draft = join(own, `build-${drafts++}`);
    try {
      await mkdir(draft);
      if (user) await chown(draft, user.uid, user.gid);
      await build(draft);
      if (user) await takeFolder(draft);
      await writeFile(join(draft, STAMP), JSON.stringify({ bytes: await sizeOf(draft) }));
      await rename(draft, folder);
    } catch (error) {
      await removeFolder(draft, user);
      // Another process was as fast, because the lock of a dead one was taken by both.
      if (!(await isThere(join(folder, STAMP)))) throw error;
    }
    return true;
  }

  async function evict(): Promise<void> {
    const all = (await mapBounded(await readdir(built), 8, (key) => readStamp(built, key))).flat();
    let total = all.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { key, bytes } of all.sort((a, b) => a.usedAt - b.usedAt)) {
      if (total <= maxBytes) return;
      await locks.holdIfFree(key, async () => {
        if (leases.has(key) || (await isUsedElsewhere(key))) return;
        if (await isThere(join(built, key))) await remove(key);
        total -= bytes;
        say(`The environment ${key} was removed to make room.`);
      });
    }
  }

  async function isUsedElsewhere(key: string): Promise<boolean> {
    const others = (await livingFolders(processes, user)).filter(
      (folder) => basename(dirname(folder)) !== basename(dirname(own)),
    );
    const uses = await Promise.all(others.map((folder) => isThere(join(folder, 'uses', key))));
    return uses.includes(true);
  }

  async function remove(key: string): Promise<void> {
    const away = join(own, `away-${drafts++}`);
    await rename(join(built, key), away);
    await rm(join(own, 'uses', key), { force: true });
    await rm(away, { recursive: true, force: true });
  }

  return {
    async lease(key, build, waiting) {
      leases.set(key, (leases.get(key) ?? 0) + 1);
      const release = once(() => {
        const left = (leases.get(key) ?? 1) - 1;
        if (left === 0) leases.delete(key);
        else leases.set(key, left);
      });
      try {
        const isNew = await locks.hold(
          key,
          async () => {
            await writeFile(join(own, 'uses', key), '');
            return make(key, build);
          },
          waiting,
        );
        if (isNew)
          await evict().catch((error: unknown) => say(`No room could be made for environments: ${String(error)}`));
      } catch (error) {
        release();
        throw error;
      }
      return { folder: join(built, key), release };
    },
  };
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** How big an environment is and when it was last asked for; nothing for one that another process has just removed. */
async function readStamp(built: string, key: string): Promise<{ key: string; bytes: number; usedAt: number }[]> {
  try {
    const path = join(built, key, STAMP);
    const { bytes } = Stamp.parse(JSON.parse(await readFile(path, 'utf8')));
    return [{ key, bytes, usedAt: (await stat(path)).mtimeMs }];
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** Bytes of all files below a folder; a file with several names counts for each. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await mapBounded(files, 16, async ({ parentPath, name }) => (await stat(join(parentPath, name))).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}

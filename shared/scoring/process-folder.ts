import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { letThrough, type CodeUser } from './code-user.ts';
import { removeFolder } from './held-folder.ts';
import { isDead, lifeAddress, showLife } from './life-socket.ts';

/**
 * What a process's folder is called; nothing else in a root is touched. A folder shows life before it loses the dot; one that
 * still has it after a minute was left behind. Short, because the path of a socket has to be.
 */
const NAME = /^(\.?)bp-([0-9a-f]{12})$/;
const BIRTH_MS = 60_000;

/**
 * Makes an empty folder below `root` that is this process's own, and removes those of processes that ended without doing so.
 * Returns its absolute path. Nobody has to give it back: when the process ends, the next one to start removes it.
 *
 * Who lives is told by the kernel and not by a pid, which is given again and is 1 in every container: a process listens on a
 * socket in its folder for as long as it lives, and a folder whose socket refuses is a dead one's. Several apps may share a
 * root, also from containers of one machine; it has to be a local disk, because a socket is only known to its own kernel.
 *
 * `user` may pass through to what lies in it.
 */
export async function processFolder(root: string, user?: CodeUser): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  if (user) await letThrough(root, user);
  await livingFolders(root, user);
  const id = randomBytes(6).toString('hex');
  const unborn = join(root, `.bp-${id}`);
  await mkdir(unborn, { mode: 0o700 });
  await mkdir(join(unborn, 'files'));
  if (user) for (const folder of [unborn, join(unborn, 'files')]) await letThrough(folder, user);
  await showLife(socketIn(unborn, id));
  const folder = join(root, `bp-${id}`);
  await rename(unborn, folder);
  return join(folder, 'files');
}

/** The folders below `root` of processes that live, this one's too. Removes those of dead ones. */
export async function livingFolders(root: string, user?: CodeUser): Promise<string[]> {
  const names = await readdir(root);
  const living = await Promise.all(
    names.map(async (name) => {
      const [, dot, id] = NAME.exec(name) ?? [];
      if (id === undefined) return [];
      const folder = join(root, name);
      const unborn = dot === '.';
      const dead = unborn ? await isOlderThan(BIRTH_MS, folder) : await isDead(socketIn(folder, id));
      // A child of the dead may still write there.
      if (dead) await removeFolder(folder, user);
      return dead || unborn ? [] : [join(folder, 'files')];
    }),
  );
  return living.flat();
}

const socketIn = (folder: string, id: string): string => lifeAddress(join(folder, 'alive'), id);

async function isOlderThan(ms: number, path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > ms;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

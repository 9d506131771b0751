import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/** A folder is listened on before it gets its final name; one that is still called this after a minute was left behind. */
const UNBORN = '.new-';
const BIRTH_MS = 60_000;

/** What a dead process's socket answers: nobody listens, or the folder was half removed by another process. */
const DEAD = new Set(['ECONNREFUSED', 'ENOENT']);

/**
 * Makes an empty folder below `root` that is this process's own, and removes those of processes that ended without doing so.
 * Returns its absolute path. Nobody has to give it back: when the process ends, the next one to start removes it.
 *
 * Who lives is told by the kernel and not by a pid, which is given again and is 1 in every container: a process listens on a
 * socket in its folder for as long as it lives, and a folder whose socket refuses is a dead one's. Several apps may share a
 * root, also from containers of one machine; it has to be a local disk, because a socket is only known to its own kernel.
 */
export async function processFolder(root: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  await removeDead(root);
  const id = randomBytes(6).toString('hex');
  const unborn = join(root, UNBORN + id);
  const files = join(unborn, 'files');
  await mkdir(unborn, { mode: 0o700 });
  await mkdir(files);
  await listen(socketIn(unborn, id));
  await rename(unborn, join(root, id));
  return join(root, id, 'files');
}

/** Where the owner of a folder listens. Windows has no sockets in folders, and its pipes no files that outlive a process. */
const socketIn = (folder: string, id: string): string =>
  process.platform === 'win32' ? `\\\\.\\pipe\\batchpoint-${id}` : join(folder, 'alive');

/** Listens until the process ends, without keeping it alive. */
async function listen(path: string): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new Error(`A process folder needs a local disk and a short path, which ${path} is not.`, { cause: error }),
      );
    });
    server.listen(path, resolve);
  });
  server.unref();
}

async function removeDead(root: string): Promise<void> {
  const names = await readdir(root);
  await Promise.all(
    names.map(async (name) => {
      const folder = join(root, name);
      const dead = name.startsWith(UNBORN) ? await isOlderThan(BIRTH_MS, folder) : await isDead(socketIn(folder, name));
      if (dead) await rm(folder, { recursive: true, force: true });
    }),
  );
}

/** False as well when it cannot be known, as of the folder of another user. */
function isDead(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(DEAD.has(error.code ?? '')));
  });
}

async function isOlderThan(ms: number, path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > ms;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

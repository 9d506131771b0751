import { rm, stat } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What there is of somebody who does not listen: the file of a dead process, or none. */
const SILENT: Readonly<Record<string, 'dead' | 'gone'>> = { ECONNREFUSED: 'dead', ENOENT: 'gone' };

/** A process that is cut off between binding its socket and listening on it looks dead for so long at most. */
const BIRTH_MS = 100;

/** A sign of life: the kernel takes it away when the process ends, however it ends, and keeps it while it is busy or stopped. */
export interface LifeSocket {
  /** Ends the sign before the process does. */
  end(): Promise<void>;
}

/**
 * Where a process listens to show that it lives: a socket at `path`, which may be renamed with its folder. Windows has no
 * sockets in folders; its pipes need a `name` that is unique on the machine, and leave no file behind.
 */
export const lifeAddress = (path: string, name: string): string =>
  process.platform === 'win32' ? `\\\\.\\pipe\\batchpoint-${name}` : path;

/**
 * Listens without keeping the process alive. Undefined when the address is taken, by the living or the dead. Needs a local disk
 * and a path of at most about 100 bytes: both are limits of sockets.
 */
export async function showLife(address: string): Promise<LifeSocket | undefined> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    // A connection stays open until the end: that is what others wait for.
    sockets.add(socket.unref());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  });
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(true);
      else
        reject(new Error(`A socket needs a local disk and a short path, which ${address} is not.`, { cause: error }));
    });
    server.listen(address, () => resolve(false));
  });
  if (taken) return undefined;
  server.unref();
  return {
    end: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Whether nobody listens. False as well when it cannot be known, as of the folder of another user. */
export async function isDead(address: string): Promise<boolean> {
  return ['dead', 'gone'].includes(await reach(address, false));
}

/** Waits until the process that listens there ends or gives its sign up. Removes the socket of one that was dead already. */
export async function untilOver(address: string): Promise<void> {
  const found = await reach(address, true);
  if (found === 'alive' || found === 'gone') return;
  const file = await fileOf(address);
  await sleep(BIRTH_MS);
  // Another file is the sign of somebody who lives, who may be between two steps of its birth or its end.
  const isSame = file !== undefined && (await fileOf(address)) === file;
  if (isSame && (await reach(address, false)) === 'dead') await rm(address, { force: true });
}

/** Which file it is: numbers are used again, but not at the same time. */
async function fileOf(address: string): Promise<string | undefined> {
  try {
    const { ino, ctimeNs } = await stat(address, { bigint: true });
    return `${ino} ${ctimeNs}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function reach(address: string, stay: boolean): Promise<'alive' | 'dead' | 'gone' | 'unknown'> {
  return new Promise((resolve) => {
    const socket = connect(address);
    let alive = false;
    socket.once('connect', () => {
      alive = true;
      if (stay) socket.resume();
      else socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (!alive) resolve(SILENT[error.code ?? ''] ?? 'unknown');
    });
    socket.once('close', () => resolve('alive'));
  });
}

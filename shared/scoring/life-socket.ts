import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the socket of a dead process answers: nobody listens, or the file is gone. */
const DEAD = new Set(['ECONNREFUSED', 'ENOENT']);

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
  return (await reach(address, false)) === 'dead';
}

/** Waits until the process that listens there ends or gives its sign up. Removes the socket of one that was dead already. */
export async function untilOver(address: string): Promise<void> {
  if ((await reach(address, true)) === 'alive') return;
  await sleep(BIRTH_MS);
  if (await isDead(address)) await rm(address, { force: true });
}

function reach(address: string, stay: boolean): Promise<'alive' | 'dead' | 'unknown'> {
  return new Promise((resolve) => {
    const socket = connect(address);
    let alive = false;
    socket.once('connect', () => {
      alive = true;
      if (stay) socket.resume();
      else socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (!alive) resolve(DEAD.has(error.code ?? '') ? 'dead' : 'unknown');
    });
    socket.once('close', () => resolve('alive'));
  });
}

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../domain/errors.ts';
import type { Log } from './ports.ts';

/** This machine's disk failed: not the mini-batch's fault, the whole slice is tried again. */
export class WorkFolderFault extends Error {
  constructor(cause: unknown) {
    super(`work folder: ${messageOf(cause)}`, { cause });
    this.name = 'WorkFolderFault';
  }
}

/** The folder of one slice below the app's work folder; it is made when it is used. */
export interface WorkFolder {
  /** A new empty folder in it; absolute. Throws WorkFolderFault. */
  make(): Promise<string>;
  /** Removes one of them while the slice goes on. What cannot be removed is told in the log. */
  discard(path: string): void;
  /** Removes all of it. */
  end(): Promise<void>;
}

const MACHINE = hostname().replace(/[^A-Za-z0-9.]/g, '_');
// A process that starts anew in a container may get the number of the one that died there; its start tells them apart.
const OWNER = `${MACHINE}-${process.pid}-${Math.trunc(performance.timeOrigin)}`;

/** Removes first what processes of this machine left in `root` when they died: a folder's name says whose it is. */
export function workFolder(root: string, log: Log): WorkFolder {
  let made: Promise<string> | undefined;
  let folders = 0;
  const removals = new Set<Promise<void>>();

  const makeOwn = async (): Promise<string> => {
    await mkdir(root, { recursive: true, mode: 0o700 });
    for (const name of await readdir(root)) if (isLeft(name)) await remove(join(root, name), log);
    const path = join(root, `${OWNER}-${randomUUID()}`);
    await mkdir(path, { mode: 0o700 });
    return path;
  };
  return {
    async make() {
      try {
        const path = join(await (made ??= makeOwn()), String(folders++));
        await mkdir(path);
        return path;
      } catch (error) {
        throw new WorkFolderFault(error);
      }
    },
    discard(path) {
      const removal = remove(path, log).finally(() => removals.delete(removal));
      removals.add(removal);
    },
    async end() {
      // One that could not be made has said so to whom asked for it.
      const path = await made?.catch(() => undefined);
      await Promise.all(removals);
      if (path !== undefined) await remove(path, log);
    },
  };
}

/** Whether a folder is that of a process of this machine that has ended. */
function isLeft(name: string): boolean {
  const [machine, pid = '', started = ''] = name.split('-');
  if (machine !== MACHINE || !/^\d+$/.test(pid) || !/^\d+$/.test(started)) return false;
  if (Number(pid) === process.pid) return !name.startsWith(`${OWNER}-`);
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // EPERM would mean that it runs, as another user.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

async function remove(path: string, log: Log): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    log.warn({ path, error: messageOf(error) }, 'a work folder stays on the disk');
  }
}

import { lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
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

/** The folder of one slice below the process's own; it is made when it is used. */
export interface WorkFolder {
  /** A new empty folder in it; absolute. Throws WorkFolderFault. */
  make(): Promise<string>;
  /** Removes one of them while the slice goes on. What cannot be removed is told in the log. */
  discard(path: string): void;
  /** Removes all of it. */
  end(): Promise<void>;
}

/** `processFolder`: goes with its process, so that what a killed one left behind is not for ever. */
export function workFolder(processFolder: () => Promise<string>, log: Log): WorkFolder {
  let made: Promise<string> | undefined;
  let folders = 0;
  const removals = new Set<Promise<void>>();

  const makeOwn = async (): Promise<string> => mkdtemp(join(await processFolder(), 'slice-'));
  return {
    async make() {
      try {
        const path = join(await (made ??= makeOwn()), String(folders++));
        mkdirSync(path);
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
      // One that could not be made was told to whom asked for it.
      const path = await made?.catch(() => undefined);
      await Promise.all(removals);
      if (path !== undefined) await remove(path, log);
    },
  };
}

/** Files that go at once: by way of the thread pool each would take the processor for ten times as long. */
const FEW = 100;
const SMALL = 256 * 1024;

/** True when the folder held only a few small files. */
function removeSmall(path: string): boolean {
  const entries = readdirSync(path, { withFileTypes: true });
  if (entries.length > FEW || !entries.every((entry) => entry.isFile())) return false;
  const files = entries.map(({ name }) => join(path, name));
  if (!files.every((file) => lstatSync(file).size <= SMALL)) return false;
  for (const file of files) unlinkSync(file);
  rmdirSync(path);
  return true;
}

async function remove(path: string, log: Log): Promise<void> {
  try {
    if (removeSmall(path)) return;
  } catch {
    // What is in the way, or gone meanwhile, is told by what follows.
  }
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    log.warn({ path, error: messageOf(error) }, 'a work folder stays on the disk until the process ends');
  }
}

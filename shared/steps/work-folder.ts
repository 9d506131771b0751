import { lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../domain/errors.ts';
import { letThrough, type CodeUser } from '../scoring/code-user.ts';
import { removeFolder } from '../scoring/held-folder.ts';
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
  /** An empty folder in it; absolute. Throws WorkFolderFault. */
  make(): Promise<string>;
  /**
   * Removes one of them, or what is in it, while the slice goes on; `again`: it may be handed out once more. What cannot be
   * removed is told in the log.
   */
  discard(path: string, again: boolean): void;
  /** Removes all of it. */
  end(): Promise<void>;
}

/**
 * `processFolder`: goes with its process, so that what a killed one left behind is not for ever. `codeUser` may read what is in the
 * folders.
 */
export function workFolder(processFolder: () => Promise<string>, log: Log, codeUser: CodeUser | undefined): WorkFolder {
  let made: Promise<string> | undefined;
  let folders = 0;
  /** Empty ones: to remove and make a folder takes as long as to write ten small files. */
  const spare: string[] = [];
  const removals = new Set<Promise<void>>();

  const makeOwn = async (): Promise<string> => {
    const path = await mkdtemp(join(await processFolder(), 'slice-'));
    if (codeUser) await letThrough(path, codeUser);
    return path;
  };
  return {
    async make() {
      const free = spare.pop();
      if (free !== undefined) return free;
      try {
        const path = join(await (made ??= makeOwn()), String(folders++));
        mkdirSync(path);
        return path;
      } catch (error) {
        throw new WorkFolderFault(error);
      }
    },
    discard(path, again) {
      if (again && emptied(path)) {
        spare.push(path);
        return;
      }
      const removal = remove(path, codeUser, log).finally(() => removals.delete(removal));
      removals.add(removal);
    },
    async end() {
      // One that could not be made was told to whom asked for it.
      const path = await made?.catch(() => undefined);
      await Promise.all(removals);
      if (path !== undefined) await remove(path, codeUser, log);
    },
  };
}

/** Files that go at once: by way of the thread pool each would take the processor for ten times as long. */
const FEW = 100;
const SMALL = 256 * 1024;

/** Removes what is in a folder when that is a few small files. False when it is more, or is in the way of that. */
function emptied(path: string): boolean {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    if (entries.length > FEW || !entries.every((entry) => entry.isFile())) return false;
    const files = entries.map(({ name }) => join(path, name));
    if (!files.every((file) => lstatSync(file).size <= SMALL)) return false;
    for (const file of files) unlinkSync(file);
    return true;
  } catch {
    // Whatever it is, it shows when the folder is removed.
    return false;
  }
}

async function remove(path: string, codeUser: CodeUser | undefined, log: Log): Promise<void> {
  try {
    await removeFolder(path, codeUser);
  } catch (error) {
    log.warn({ path, error: messageOf(error) }, 'a work folder stays on the disk until the process ends');
  }
}

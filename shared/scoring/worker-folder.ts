import { chown, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { letThrough, type CodeUser } from './code-user.ts';
import { removeFolder } from './held-folder.ts';

/** A folder of one process that runs a user's code. */
export interface WorkerFolder {
  /** Of the app, where code runs as another user: nobody else can put something in its place. */
  readonly path: string;
  /** Where its code writes files. */
  readonly output: string;
  /** The code's home and place for temporary files, where those of the app are closed to it. */
  readonly variables: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** Makes the folder; what code writes to is its user's alone. */
export async function workerFolder(user: CodeUser | undefined): Promise<WorkerFolder> {
  const path = await mkdtemp(join(tmpdir(), 'batchpoint-worker-'));
  const output = join(path, 'output');
  const home = join(path, 'home');
  const tmp = join(path, 'tmp');
  for (const folder of user ? [output, home, tmp] : [output]) {
    await mkdir(folder, { mode: 0o700 });
    if (user) await chown(folder, user.uid, user.gid);
  }
  if (user) await letThrough(path, user);
  return {
    path,
    output,
    variables: user ? { HOME: home, TMPDIR: tmp, TMP: tmp, TEMP: tmp } : {},
    remove: () => removeFolder(path, user),
  };
}

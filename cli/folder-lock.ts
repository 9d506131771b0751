import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'start.pid';

/**
 * Makes this process the only one that works in a folder, until it calls what is answered: two Azurites overwrite each other's
 * files. Throws when a running process has the folder; what a killed one left behind is no hindrance.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, FILE);
  await mkdir(folder, { recursive: true });
  while (!(await claim(file))) {
    const owner = (await readFile(file, 'utf8')).trim();
    if (/^[1-9]\d*$/.test(owner) && isRunning(Number(owner)))
      throw new Error(
        `${folder} is in use by process ${owner}. Stop it, or set BATCHPOINT_FOLDER to another folder. (If that process is another program, delete ${file}.)`,
      );
    await rm(file, { force: true });
  }
  return () => rm(file, { force: true });
}

/** Whether the file was not there and is now ours. */
async function claim(file: string): Promise<boolean> {
  try {
    await writeFile(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Also a process of another user runs. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

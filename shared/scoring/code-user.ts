import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Who runs what callers bring, where that is not the app itself: a user of this machine, by number. */
export interface CodeUser {
  readonly uid: number;
  readonly gid: number;
}

const SETTING = 'BATCHPOINT_CODE_USER';

/**
 * The user that the setting names: `uid:gid`, or a name of `/etc/passwd`. Throws for one that is not there or is root, and where
 * the app is not root: root alone loses every capability when it becomes somebody else, and nobody but root may become anybody.
 */
export async function findCodeUser(setting: string, passwd = '/etc/passwd'): Promise<CodeUser> {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(setting) ?? (await accountOf(setting, passwd)) ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error(`${SETTING}: there is no user ${setting} on this machine. Name one, or give uid:gid.`);
  const user = { uid: Number(uid), gid: Number(gid) };
  if (user.uid === 0 || user.gid === 0) throw new Error(`${SETTING} must not be root, nor in root's group.`);
  if (process.platform !== 'linux') throw new Error(`${SETTING} works on Linux only; remove it.`);
  if (process.getuid?.() !== 0)
    throw new Error(
      `${SETTING} needs an app that runs as root, which alone can start processes as another user. Run it as root, as in the container image, or remove the setting: then code runs as the app.`,
    );
  return user;
}

/** The line of a user, as name, uid, gid. */
async function accountOf(name: string, passwd: string): Promise<readonly (string | undefined)[] | undefined> {
  const lines = (await readFile(passwd, 'utf8')).split('\n').map((line) => line.split(':'));
  const found = lines.find(([account]) => account === name);
  return found && [found[0], found[2], found[3]];
}

/** Lets the user pass through a folder of the app's to what it is told of; it can neither list nor change the folder. */
export async function letThrough(folder: string, { gid }: CodeUser): Promise<void> {
  await chown(folder, 0, gid);
  await chmod(folder, 0o710);
}

/**
 * Makes the folder below which code finds its files, and lets the user through. Throws when a folder above it is closed, which
 * would show in every job.
 */
export async function openWorkFolder(folder: string, user: CodeUser): Promise<void> {
  const path = resolve(folder);
  await mkdir(path, { recursive: true, mode: 0o711 });
  await letThrough(path, user);
  for (let above = dirname(path); ; above = dirname(above)) {
    const { mode, uid, gid } = await stat(above);
    const may = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & may) === 0)
      throw new Error(
        `BATCHPOINT_WORK_FOLDER: the user of ${SETTING} cannot pass through ${above} to reach it. Open that folder (chmod o+x), or choose another place.`,
      );
    if (above === dirname(above)) return;
  }
}

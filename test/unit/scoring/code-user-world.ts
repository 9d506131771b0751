import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CodeUser } from '../../../shared/scoring/code-user.ts';
import { openWorkFolder } from '../../../shared/scoring/code-user.ts';

/** Whether this machine lets a test become somebody else. */
export const IS_ROOT = process.platform === 'linux' && process.getuid?.() === 0;

/** Nobody's numbers: no other process runs as this user. */
export const CODE_USER: CodeUser = { uid: 54_321, gid: 54_321 };

/** A work folder as the app makes it, open to the code user where there is one. */
export async function workFolderFor(user: CodeUser | undefined): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bp-code-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  if (user) await openWorkFolder(folder, user);
  return folder;
}

import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withHeldFolder } from '../../../shared/scoring/held-folder.ts';
import { openPlain } from '../../../shared/scoring/plain-file.ts';
import { moveFiles, removeFiles } from '../../../shared/scoring/python/output-folder.ts';

/** `mine` is what code may write to, `secret` is the app's. */
let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'bp-plain-')));
  await mkdir(join(root, 'mine/deep'), { recursive: true });
  await mkdir(join(root, 'secret'));
  await writeFile(join(root, 'mine/deep/a'), 'mine');
  await writeFile(join(root, 'secret/a'), 'secret');
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('a file that code wrote', () => {
  test('is opened where it lies', async () => {
    await using handle = await openPlain(join(root, 'mine/deep/a'));
    expect((await handle?.readFile())?.toString()).toBe('mine');
  });

  test.each([
    ['a link to a file', () => symlink('../secret/a', join(root, 'mine/x'))],
    ['a link to nothing', () => symlink('nothing', join(root, 'mine/x'))],
    ['a folder', () => mkdir(join(root, 'mine/x'))],
    ['a pipe that nobody writes to', async () => void execFileSync('mkfifo', [join(root, 'mine/x')])],
  ])('is not %s', async (_what, make) => {
    await make();
    expect(await openPlain(join(root, 'mine/x'))).toBeUndefined();
  });

  test('is not reached through a link', async () => {
    await symlink('../secret', join(root, 'mine/x'));
    expect(await openPlain(join(root, 'mine/x/a'))).toBeUndefined();
  });
});

describe('a folder that code may write to', () => {
  test('stays itself while it is held, whatever lies at its path', async () => {
    const path = join(root, 'mine/deep');
    const seen = await withHeldFolder(path, async ({ at }) => {
      await rename(path, join(root, 'mine/away'));
      await symlink('../secret', path);
      return readFile(at('a'), 'utf8');
    });
    expect(seen).toBe('mine');
    await expect(withHeldFolder(path, async () => undefined)).rejects.toThrow(/ELOOP|ENOTDIR/);
  });

  test('loses its files and not those behind its links', async () => {
    await symlink('../secret', join(root, 'mine/x'));
    await mkdir(join(root, 'out'));
    await moveFiles(join(root, 'mine'), join(root, 'out'));
    expect((await readdir(join(root, 'out'))).sort()).toEqual(['deep', 'x']);
    expect(await readFile(join(root, 'out/deep/a'), 'utf8')).toBe('mine');
    await symlink('../secret', join(root, 'mine/y'));
    await removeFiles(join(root, 'mine'));
    expect(await readdir(join(root, 'mine'), { recursive: true })).toEqual(['deep']);
    expect(await readFile(join(root, 'secret/a'), 'utf8')).toBe('secret');
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processFolder } from '../../../shared/scoring/process-folder.ts';

let root: string;
let children: ChildProcess[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bp-'));
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(end));
  await rm(root, { recursive: true, force: true });
});

const MODULE = JSON.stringify(new URL('../../../shared/scoring/process-folder.ts', import.meta.url));

/** Another process that has a folder with a file in it, and lives until it is ended. */
async function owner(): Promise<{ child: ChildProcess; folder: string }> {
  const script = `
    const { processFolder } = await import(${MODULE});
    const folder = await processFolder(process.argv[1]);
    (await import('node:fs')).writeFileSync(folder + '/model.bin', 'x', { mode: 0o444 });
    console.log(folder);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const folder of createInterface(child.stdout)) return { child, folder };
  throw new Error('the other process ended without a folder');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'exit');
  child.kill('SIGKILL');
  await closed;
}

/** The name of a process's folder, below the root. */
const nameOf = (folder: string): string => basename(dirname(folder));

describe('processFolder', () => {
  test('is empty, private and new for each who asks', async () => {
    const [first, second] = await Promise.all([processFolder(root), processFolder(root)]);
    expect(first).not.toBe(second);
    expect(await readdir(first)).toEqual([]);
    expect((await stat(dirname(first))).mode & 0o777).toBe(0o700);
    expect((await readdir(root)).sort()).toEqual([nameOf(first), nameOf(second)].sort());
  });

  test('makes its root, however many ask first', async () => {
    const below = join(root, 'a/b');
    const folders = await Promise.all(Array.from({ length: 10 }, () => processFolder(below)));
    expect((await readdir(below)).sort()).toEqual(folders.map(nameOf).sort());
  });

  test('keeps the folders of living processes and removes those of killed ones, with read-only files', async () => {
    const [living, killed] = await Promise.all([owner(), owner()]);
    await end(killed.child);
    const own = await processFolder(root);
    expect((await readdir(root)).sort()).toEqual([nameOf(living.folder), nameOf(own)].sort());
    expect(await readdir(living.folder)).toEqual(['model.bin']);
  });

  test('keeps the folder of a process that is too busy to answer', async () => {
    const busy = await owner();
    busy.child.kill('SIGSTOP');
    await processFolder(root);
    expect(await readdir(busy.folder)).toEqual(['model.bin']);
  });

  test('removes what a process left that was killed while it made its folder', async () => {
    const [fresh, old] = [join(root, '.bp-000000000001'), join(root, '.bp-000000000002')];
    await mkdir(fresh);
    await mkdir(old);
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(old, longAgo, longAgo);
    const own = await processFolder(root);
    expect((await readdir(root)).sort()).toEqual(['.bp-000000000001', nameOf(own)].sort());
  });

  test('removes a folder that was half removed', async () => {
    await mkdir(join(root, 'bp-0123456789ab/files'), { recursive: true });
    await writeFile(join(root, 'bp-0123456789ab/files/model.bin'), 'x');
    const own = await processFolder(root);
    expect(await readdir(root)).toEqual([nameOf(own)]);
  });

  test('leaves everything alone that no process made as its folder', async () => {
    await mkdir(join(root, 'environments/files'), { recursive: true });
    await writeFile(join(root, 'bp-notes.txt'), 'x');
    const own = await processFolder(root);
    expect((await readdir(root)).sort()).toEqual(['bp-notes.txt', 'environments', nameOf(own)].sort());
    expect(await readdir(join(root, 'environments'))).toEqual(['files']);
  });

  test('says so when the root cannot hold a socket', async () => {
    const deep = join(root, 'a'.repeat(120));
    await expect(processFolder(deep)).rejects.toThrow(/needs a local disk and a short path/);
  });

  test('does not keep the process alive', async () => {
    const script = `const { processFolder } = await import(${MODULE}); await processFolder(process.argv[1]);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script, root], { stdio: 'inherit' });
    children.push(child);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

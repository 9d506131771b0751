import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processLocks, type ProcessLocks } from '../../../shared/scoring/process-lock.ts';

let folder: string;
let locks: ProcessLocks;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bp-'));
  locks = processLocks((name) => join(folder, name));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const MODULE = JSON.stringify(new URL('../../../shared/scoring/process-lock.ts', import.meta.url));

describe('processLocks', () => {
  // Again and again: what two of them may do to each other takes luck.
  test.each(Array.from({ length: 20 }, (_, round) => round))(
    'one at a time of those who want one name, and each in the end (%i)',
    async () => {
      let inside = 0;
      let most = 0;
      const runs = Array.from({ length: 10 }, (_, index) =>
        locks.hold(
          'a',
          async () => {
            most = Math.max(most, ++inside);
            await new Promise((resolve) => setTimeout(resolve, 1));
            inside--;
            return index;
          },
          () => undefined,
        ),
      );
      expect(await Promise.all(runs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(most).toBe(1);
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test('other names do not wait, and a fault frees the lock', async () => {
    const fault = new Error('no');
    const work = locks.hold(
      'a',
      async () => {
        await locks.hold('b', async () => undefined, expect.fail);
        throw fault;
      },
      expect.fail,
    );
    await expect(work).rejects.toBe(fault);
    await locks.hold('a', async () => undefined, expect.fail);
  });

  test('who does not want to wait runs only when the lock is free', async () => {
    const ran: string[] = [];
    await locks.hold(
      'a',
      () => locks.holdIfFree('a', async () => void ran.push('taken')),
      () => undefined,
    );
    await locks.holdIfFree('a', async () => void ran.push('free'));
    expect(ran).toEqual(['free']);
  });

  test('the lock of another process is waited for, and free when that is killed', async () => {
    const script = `
      const { processLocks } = await import(${MODULE});
      setInterval(() => undefined, 1000);
      await processLocks(() => process.argv[1]).hold('a', () => { console.log('held'); return new Promise(() => undefined); });`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script, join(folder, 'a')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const told: string[] = [];
    const got = locks.hold(
      'a',
      async () => void told.push('got'),
      () => {
        told.push('waiting');
        child.kill('SIGKILL');
      },
    );
    await got;
    expect([told[0], told.at(-1)]).toEqual(['waiting', 'got']);
  });
});

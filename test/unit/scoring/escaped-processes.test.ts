import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { spawnGroup, type ProcessGroup } from '../../../shared/scoring/process-group.ts';
import { CODE_USER, IS_ROOT } from './code-user-world.ts';

const WITHIN = { timeout: 30_000, interval: 50 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bp-escaped-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const sh = (script: string, user?: typeof CODE_USER): Promise<ProcessGroup> =>
  spawnGroup('/bin/sh', ['-c', script], {
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: folder,
    stdio: ['pipe', 'pipe', 'inherit'],
    user,
  });

/** The numbers that a group prints, one a line; it waits for the end of its input then. */
async function pidsOf({ leader }: ProcessGroup, count: number): Promise<number[]> {
  let text = '';
  leader.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return vi.waitFor(() => {
    const pids = text.split('\n').slice(0, -1).map(Number);
    expect(pids).toHaveLength(count);
    return pids;
  }, WITHIN);
}

/** A process that has ended may wait for its parent, who is not us, to look at it. */
async function isGone(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat === undefined || / Z /.test(stat);
}

const allGone = (pids: readonly number[]): Promise<void> =>
  vi.waitFor(async () => expect(await Promise.all(pids.map(isGone))).toEqual(pids.map(() => true)), WITHIN);

/** In sessions of their own: one of the shell, and one whose parents have ended. */
const ESCAPE = 'setsid sleep 1000 & echo $!; (setsid sh -c "echo \\$\\$; sleep 1000 & wait" &); read line';

describe('what makes a session of its own', () => {
  test('ends when the group is killed', async () => {
    const group = await sh(ESCAPE);
    const pids = await pidsOf(group, 2);
    group.kill();
    await group.ended;
    await allGone(pids);
  });

  test('ends with the leader of the group', async () => {
    const group = await sh(ESCAPE);
    const pids = await pidsOf(group, 2);
    group.leader.stdin?.end('over\n');
    await group.ended;
    await allGone(pids);
  });

  test('lives on when another group ends', async () => {
    const [one, other] = [await sh(ESCAPE), await sh(ESCAPE)];
    const [gone, living] = [await pidsOf(one, 2), await pidsOf(other, 2)];
    one.kill();
    await allGone(gone);
    expect(await Promise.all(living.map(isGone))).toEqual([false, false]);
    other.kill();
    await allGone(living);
  });

  test('ends with the next group when its app was killed', async () => {
    const module = JSON.stringify(new URL('../../../shared/scoring/process-group.ts', import.meta.url).href);
    const app = `const { spawnGroup } = await import(${module});
      await spawnGroup('/bin/sh', ['-c', process.argv[1]], { env: process.env, stdio: ['pipe', 'inherit', 'inherit'] });`;
    const dead = spawn(process.execPath, ['--input-type=module', '--eval', app, ESCAPE], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    dead.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await vi.waitFor(() => expect(text.split('\n')).toHaveLength(3), WITHIN);
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    const next = await sh('true');
    await next.ended;
    await allGone(text.trim().split('\n').map(Number));
  });

  const asRoot = IS_ROOT ? test : () => undefined;
  asRoot('ends also without the variable that tells whose it is, where code has a user of its own', async () => {
    const group = await sh('(setsid env -i /bin/sh -c "echo \\$\\$; sleep 1000" &); read line', CODE_USER);
    // One that lost the variable in its group is the group's.
    const other = await sh('echo $$; (env -i /bin/sh -c "echo \\$\\$; sleep 1000" &); read line', CODE_USER);
    const [pids, living] = [await pidsOf(group, 1), await pidsOf(other, 2)];
    group.kill();
    await group.ended;
    await allGone(pids);
    expect(await Promise.all(living.map(isGone))).toEqual([false, false]);
    other.kill();
    await other.ended;
    await allGone(living);
  });
});

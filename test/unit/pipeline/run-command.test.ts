import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CommandLine } from '../../../shared/pipeline/command-lines.ts';
import { runCommand, type CommandRun } from '../../../shared/pipeline/run-command.ts';
import { stepEnvironment } from '../../../shared/pipeline/step-environment.ts';

const MIB = 1024 ** 2;
const WITHIN = { timeout: 25_000, interval: 50 };

let folder: string;
let lines: CommandLine[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-command-'));
  await chmod(folder, 0o755);
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(script: string, changes: Partial<CommandRun> & { own?: NodeJS.ProcessEnv } = {}) {
  const { own = process.env, ...other } = changes;
  return runCommand({
    script,
    cwd: folder,
    folder,
    environment: stepEnvironment({
      own,
      given: {},
      programs: undefined,
      home: folder,
      tmp: folder,
      mlflow: folder,
    }),
    limits: { timeoutMs: 25_000, diskBytes: 1000 * MIB },
    signal: new AbortController().signal,
    print: (line) => lines.push(line),
    ...other,
  });
}

const fileText = async (name: string): Promise<string> => (await readFile(join(folder, name), 'utf8')).trim();

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A process that has ended may wait for its parent, who is not us, to look at it. */
async function isGone(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return status === undefined ? !isAlive(pid) : / Z /.test(status);
}

const allGone = (pids: readonly string[]): Promise<void> =>
  vi.waitFor(async () => {
    expect(await Promise.all(pids.map((pid) => isGone(Number(pid))))).toEqual(pids.map(() => true));
  }, WITHIN);

describe('a command', () => {
  it('runs in its folder and prints as it goes', async () => {
    expect(await run('pwd\necho to stderr >&2\ncat')).toEqual({ ok: true });
    expect(lines).toContainEqual({ stream: 'stdout', text: folder });
    expect(lines).toContainEqual({ stream: 'stderr', text: 'to stderr' });
  });

  it('shows a line while it still runs', async () => {
    const running = run('echo first; while [ ! -e go ]; do sleep 0.05; done');
    await vi.waitFor(() => expect(lines).toEqual([{ stream: 'stdout', text: 'first' }]), WITHIN);
    await writeFile(join(folder, 'go'), '');
    expect(await running).toEqual({ ok: true });
  });

  it('fails with its exit code and its last lines', async () => {
    expect(await run('echo fine; echo "no such column: age" >&2; exit 3')).toEqual({
      ok: false,
      reason: {
        code: 'CommandFailed',
        message: 'The command ended with exit code 3. Its last lines: no such column: age',
      },
    });
  });

  it('fails without a line when it printed none', async () => {
    expect(await run('exit 1')).toEqual({
      ok: false,
      reason: { code: 'CommandFailed', message: 'The command ended with exit code 1. It printed nothing.' },
    });
  });

  it.each([
    ['it', 'kill -TERM $$', 'The command was ended by SIGTERM.'],
    [
      'what it runs',
      "bash -c 'kill -KILL $$'; exit $?",
      'The command ended with exit code 137 (SIGKILL). The usual cause is that the machine ran out of memory.',
    ],
  ])('says which signal ended %s', async (_who, text, message) => {
    const result = await run(text);
    expect(result).toMatchObject({ ok: false, reason: { code: 'CommandKilled' } });
    expect(!result.ok && result.reason.message).toContain(message);
  });

  it('cannot start in a folder that is not there', async () => {
    expect(await run('true', { cwd: join(folder, 'gone') })).toMatchObject({
      ok: false,
      reason: { code: 'CommandNotStarted' },
    });
  });

  it('ends at its time limit, with all that it started', async () => {
    const result = await run('sleep 1000 & echo $! > child; sleep 1000', {
      limits: { timeoutMs: 500, diskBytes: MIB },
    });
    expect(result).toEqual({
      ok: false,
      reason: { code: 'CommandTimedOut', message: 'The command took longer than its time limit of 0.5 s.' },
    });
    await allGone([await fileText('child')]);
  });

  it('has time to end by itself', async () => {
    const result = await run(
      "trap 'sleep 0.2; echo saved; exit 0' TERM; echo started; while true; do sleep 0.05; done",
      {
        limits: { timeoutMs: 1000, diskBytes: MIB },
      },
    );
    expect(result).toMatchObject({ ok: false, reason: { code: 'CommandTimedOut' } });
    expect(lines.map(({ text }) => text)).toEqual(['started', 'saved']);
  });

  it('gets signals itself when it is the only one', async () => {
    await run('bash -c \'trap "echo saved; exit 0" TERM; while true; do sleep 0.05; done\'', {
      limits: { timeoutMs: 1000, diskBytes: MIB },
    });
    expect(lines).toEqual([{ stream: 'stdout', text: 'saved' }]);
  });

  it('is killed when it does not listen', async () => {
    const result = await run("trap '' TERM; echo $$ > leader; while true; do sleep 1; done", {
      limits: { timeoutMs: 300, diskBytes: MIB },
    });
    expect(result).toMatchObject({ ok: false, reason: { code: 'CommandTimedOut' } });
    await allGone([await fileText('leader')]);
  });

  it('ends when it is cancelled', async () => {
    const cancel = new AbortController();
    const running = run('echo started; sleep 1000', { signal: cancel.signal });
    await vi.waitFor(() => expect(lines).toHaveLength(1), WITHIN);
    cancel.abort();
    expect(await running).toEqual({ ok: false, reason: { code: 'Cancelled', message: 'The step was cancelled.' } });
  });

  it('does not start when it was cancelled before', async () => {
    expect(await run('touch ran', { signal: AbortSignal.abort() })).toMatchObject({ reason: { code: 'Cancelled' } });
    await expect(fileText('ran')).rejects.toThrow('ENOENT');
  });

  it.each([
    ['while it runs', 'head -c 20000000 /dev/zero > big; sleep 1000'],
    ['when it was quick', 'head -c 20000000 /dev/zero > big'],
  ])('may not fill the disk: %s', async (_when, text) => {
    expect(await run(text, { limits: { timeoutMs: 25_000, diskBytes: 10 * MIB } })).toEqual({
      ok: false,
      reason: {
        code: 'DiskLimit',
        message: "The step's folder grew above 10 MB. The limit is the setting BATCHPOINT_STEP_DISK_MB.",
      },
    });
  });

  it('may print 100 MB and is neither stalled nor remembered', async () => {
    const text = 'x'.repeat(99);
    expect(await run(`yes ${text} | head -c 100000000; echo the end`)).toEqual({ ok: true });
    expect(lines.length).toBeLessThan(90_000);
    expect(lines.at(-1)).toEqual({ stream: 'stdout', text: 'the end' });
  });

  it('leaves no child behind', async () => {
    expect(await run('sleep 1000 & echo $! > child')).toEqual({ ok: true });
    await allGone([await fileText('child')]);
  });

  it('leaves none behind that left its group and holds its output open', async () => {
    expect(await run('setsid sleep 1000 & echo $! > child; sleep 0.2')).toEqual({ ok: true });
    await allGone([await fileText('child')]);
  });

  it('dies with the process that started it', async () => {
    const script = 'sleep 1000 & echo $$ $! > pids.part; mv pids.part pids; sleep 1000';
    const host = spawn(process.execPath, [fileURLToPath(new URL('mortal-host.ts', import.meta.url)), folder, script], {
      stdio: 'inherit',
    });
    const pids = await vi.waitFor(async () => (await fileText('pids')).split(' '), WITHIN);
    expect(pids.map((pid) => isAlive(Number(pid)))).toEqual([true, true]);
    host.kill('SIGKILL');
    await once(host, 'exit');
    await allGone(pids);
  });

  it('sees nothing of the secrets of the app', async () => {
    const own = { ...process.env, AzureWebJobsStorage: 'key', IDENTITY_HEADER: 'token', BATCHPOINT_KEY: 'key' };
    await run('env', { own });
    const names = lines.map(({ text }) => text.split('=')[0]);
    expect(names).toContain('PATH');
    expect(
      names.filter((name) => ['AzureWebJobsStorage', 'IDENTITY_HEADER', 'BATCHPOINT_KEY'].includes(name ?? '')),
    ).toEqual([]);
  });

  it('has a memory limit when one is set', async () => {
    await run('ulimit -v', { limits: { timeoutMs: 25_000, diskBytes: MIB, memoryBytes: 2048 * MIB } });
    expect(lines).toEqual([{ stream: 'stdout', text: String(2048 * 1024) }]);
  });

  it('runs as another user where the app may choose', async () => {
    const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const user = own.uid === 0 ? { uid: 54_321, gid: 54_321 } : own;
    await run('id -u; id -g', { user });
    expect(lines.map(({ text }) => Number(text))).toEqual([user.uid, user.gid]);
  });
});

import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, vi } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';
import { engineOf, runScript, score, testFolder } from './scripts.ts';

const WAIT = { timeout: 30_000, interval: 50 };

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const goneSoon = (pid: number): Promise<void> => vi.waitFor(() => expect(isAlive(pid)).toBe(false), WAIT);

/** A script that tells its process id, and waits for a file where the mini-batch's first file asks for it. */
const PID_SCRIPT = `import os, time\n${runScript(
  [
    'gate = os.environ.get("GATE")',
    'while files[0].endswith("wait") and not os.path.exists(gate): time.sleep(0.01)',
    'return [os.getpid() for path in files]',
  ].join('\n'),
)}`;

describe('workers', () => {
  it('are as many as run at once, and no more', async () => {
    const gate = join(await testFolder(), 'gate');
    const engine = await engineOf(PID_SCRIPT, { workers: 2, environmentVariables: { GATE: gate } });
    const runs = Array.from({ length: 4 }, () => score(engine, { files: ['wait'] }));
    await writeFile(gate, '');
    const pids = new Set((await Promise.all(runs)).map(({ text }) => text));
    expect(pids.size).toBe(2);
    expect(pids).toContain((await score(engine, { files: ['a'] })).text);
  });

  it('are waited for outside of the timeout', async () => {
    const gate = join(await testFolder(), 'gate');
    const engine = await engineOf(PID_SCRIPT, { environmentVariables: { GATE: gate } });
    const first = score(engine, { files: ['wait'] });
    const others = ['a', 'b', 'c'].map((name) => score(engine, { files: [name], timeoutMs: 1000 }));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await writeFile(gate, '');
    const texts = (await Promise.all([first, ...others])).map(({ text }) => text);
    expect(new Set(texts).size).toBe(1);
  });

  it('that nobody gave a run in time end, and the next run starts one', async () => {
    const engine = await engineOf(PID_SCRIPT, { idleMs: 100 });
    const pid = Number((await score(engine, { files: ['a'] })).text);
    await goneSoon(pid);
    const next = Number((await score(engine, { files: ['a'] })).text);
    expect(next).not.toBe(pid);
  });

  it('end with their engine, also one that works, and leave no folder', async () => {
    const folder = await testFolder();
    const script = PID_SCRIPT.replace(
      '    pass',
      `    open(os.path.join(${JSON.stringify(folder)}, os.environ["AZUREML_BI_OUTPUT_PATH"].split("/")[-2]), "w")`,
    );
    const engine = await engineOf(script, { environmentVariables: { GATE: join(folder, 'gate') } });
    const run = score(engine, { files: ['wait'] });
    const failed = expect(run).rejects.toThrow('The engine is closed.');
    await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1), WAIT);
    await engine.close();
    await failed;
    const [own] = await readdir(folder);
    await vi.waitFor(() => expect(existsSync(join(tmpdir(), own ?? '')), own).toBe(false), WAIT);
    await expect(score(engine)).rejects.toThrow('The engine is closed.');
  });

  it('take with them what they forked', async () => {
    const mark = join(await testFolder(), 'pid');
    const engine = await engineOf(
      `import os, time\n${runScript(
        [
          'child = os.fork()',
          'if child == 0: time.sleep(600)',
          `open(${JSON.stringify(mark)}, "w").write(str(child))`,
          'time.sleep(600)',
        ].join('\n'),
      )}`,
    );
    await expect(score(engine, { timeoutMs: 1000 })).rejects.toThrow('timeout');
    await goneSoon(Number(await readFile(mark, 'utf8')));
  });

  it('answer for themselves only: a forked child that comes back from run() says nothing', async () => {
    const engine = await engineOf(
      `import os\n${runScript('child = os.fork()\nif child: os.waitpid(child, 0)\nreturn [child > 0]')}`,
    );
    expect(await score(engine)).toMatchObject({ text: 'true\n', results: 1 });
    expect(await score(engine)).toMatchObject({ text: 'true\n', results: 1 });
  });

  it('may use processes of multiprocessing', async () => {
    const engine = await engineOf(
      `import multiprocessing, os\ndef double(x): return 2 * x\n${runScript(
        'with multiprocessing.get_context(files[0].split("/")[-1]).Pool(2) as pool: return pool.map(double, range(3))',
      )}`,
    );
    expect((await score(engine, { files: ['spawn'] })).text).toBe('0\n2\n4\n');
    expect((await score(engine, { files: ['fork'] })).text).toBe('0\n2\n4\n');
  });

  it('end when the app is killed, also in the middle of a run, with what they forked', async () => {
    const folder = await testFolder();
    await writeFile(
      join(folder, 'driver.py'),
      [
        'import os, time',
        'def init(): pass',
        'def run(files):',
        '    child = os.fork()',
        '    if child: print(os.getpid(), child, os.environ["AZUREML_BI_OUTPUT_PATH"])',
        '    while True: pass',
      ].join('\n'),
    );
    // Compiled: there the driver is a copy.
    const app = fork(join(PROJECT, 'dist/test/python/mortal-engine.js'), [inject('python'), folder]);
    const line = await new Promise<string>((resolve) =>
      app.once('message', (message) => resolve(z.string().parse(message))),
    );
    const [worker, child, output] = line.split(' ');
    app.kill('SIGKILL');
    await goneSoon(Number(worker));
    await goneSoon(Number(child));
    expect(existsSync(output ?? '/')).toBe(false);
  });
});

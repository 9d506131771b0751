import { execFile, spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ModelFault } from '../../shared/scoring/engine.ts';
import type { EnvironmentNeeds } from '../../shared/scoring/environments/needs.ts';
import {
  pythonEnvironments,
  type PythonEnvironments,
  type PythonEnvironmentsSetting,
} from '../../shared/scoring/environments/python-environments.ts';
import { ensureUv } from '../../cli/virtual-environment.ts';
import { slowIndex } from './slow-index.ts';

/** An interpreter that has uv as a module. */
let python: string;
/** A folder with nothing but `uv` in it, to put on a PATH. */
let onlyUv: string;
let root: string;
let opened: PythonEnvironments[];
let children: ChildProcess[];

beforeAll(async () => {
  python = await ensureUv();
  onlyUv = await mkdtemp(join(tmpdir(), 'bp-uv-'));
  await symlink(join(dirname(python), 'uv'), join(onlyUv, 'uv'));
}, 300_000);
afterAll(() => rm(onlyUv, { recursive: true, force: true }));
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bp-'));
  opened = [];
  children = [];
});
afterEach(async () => {
  await Promise.all(opened.map((environments) => environments.close()));
  await Promise.all(children.map(end));
  await rm(root, { recursive: true, force: true });
});

/** Another process that asks for SIX; `own` is added to its environment. */
function elsewhere(own: Readonly<Record<string, string>> = {}): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'ask-for-environment.ts'), root, python, SIX], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: onlyUv, ...own },
  });
  children.push(child);
  return child;
}

/** A line of ask-for-environment.ts. */
const Told = z.union([z.object({ line: z.string() }), z.object({ python: z.string() })]);

/** Waits until another process has its environment. */
async function askElsewhere(): Promise<{ process: ChildProcess; python: string; log: string[] }> {
  const child = elsewhere();
  const log: string[] = [];
  for await (const text of createInterface(child.stdout)) {
    const told = Told.parse(JSON.parse(text));
    if ('python' in told) return { process: child, python: told.python, log };
    log.push(told.line);
  }
  throw new Error(`The other process ended:\n${log.join('\n')}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const setting = (changes: Partial<PythonEnvironmentsSetting> = {}): PythonEnvironmentsSetting => ({
  python,
  map: {},
  build: true,
  root,
  maxBytes: 1e9,
  own: { ...process.env, PATH: onlyUv },
  say: () => undefined,
  ...changes,
});

function open(changes: Partial<PythonEnvironmentsSetting> = {}): PythonEnvironments {
  const environments = pythonEnvironments(setting(changes));
  opened.push(environments);
  return environments;
}

const needs = (condaFile: string | null, label = 'azureml:heart-env:3'): EnvironmentNeeds => ({
  label,
  image: 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04',
  condaFile,
  requirements: null,
});

const SIX = `
name: heart
channels: [conda-forge, defaults]
dependencies:
  - python
  - libgcc=9.3
  - cudatoolkit=11.3
  - pip
  - six=1.16=pyh6c4a22f_0
`;

const run = promisify(execFile);
const sixIn = async (interpreter: string): Promise<string> =>
  (await run(interpreter, ['-c', 'import six; print(six.__version__)'])).stdout.trim();

/** The error that something ends in. */
const reasonOf = async (work: Promise<unknown>): Promise<Error> => {
  const reason: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (reason instanceof Error) return reason;
  throw new Error('It did not fail.');
};

describe('pythonEnvironments, with uv', () => {
  test('builds once for ten who ask at once, tells each of them, and leaves out what only conda has', async () => {
    const environments = open();
    const logs: string[][] = Array.from({ length: 10 }, () => []);
    const leases = await Promise.all(
      logs.map((log) => environments.interpreter(needs(SIX), (line) => void log.push(line))),
    );
    expect(new Set(leases.map((lease) => lease.python)).size).toBe(1);
    expect(await sixIn(leases[0]!.python)).toBe('1.16.0');
    const ignored = [
      'channels conda-forge, defaults',
      'libgcc=9.3',
      'cudatoolkit=11.3',
      'pip',
      "six's build pyh6c4a22f_0",
    ];
    expect(leases[9]!.ignored).toEqual(ignored);
    for (const log of logs) {
      expect(log[0]).toBe(`Ignored of azureml:heart-env:3, because pip has no such thing: ${ignored.join('; ')}.`);
      expect(log.filter((line) => line.startsWith('Building the environment azureml:heart-env:3 with'))).toHaveLength(
        1,
      );
      expect(log.filter((line) => line.includes('+ six==1.16.0'))).toHaveLength(1);
    }
    expect(await readdir(join(root, 'built'))).toHaveLength(1);
  });

  test('a built environment serves other names, a pin that changes nothing, and other processes, also when its builder is dead', async () => {
    const child = await askElsewhere();
    expect(child.log.some((line) => line.includes('+ six==1.16.0'))).toBe(true);
    await end(child.process);
    const log: string[] = [];
    const version = (await run(python, ['-c', 'import platform; print(platform.python_version())'])).stdout.trim();
    const pinned = SIX.replace('- python\n', `- python=${version}\n`);
    const lease = await open().interpreter(needs(pinned, 'azureml:other:1'), (line) => void log.push(line));
    expect(lease.python).toBe(child.python);
    expect(log).toEqual([expect.stringMatching(/^Ignored of azureml:other:1/)]);
    expect(await sixIn(lease.python)).toBe('1.16.0');
  });

  test('two processes that ask at once build once', async () => {
    const [one, two] = await Promise.all([askElsewhere(), askElsewhere()]);
    expect(two.python).toBe(one.python);
    const installs = [...one.log, ...two.log].filter((line) => line.includes('+ six==1.16.0'));
    expect(installs).toHaveLength(1);
  });

  test('a builder that is killed half way does not count', async () => {
    const slow = await slowIndex();
    try {
      const child = elsewhere({ UV_DEFAULT_INDEX: slow.url, UV_NO_CACHE: '1' });
      await slow.asked;
      await end(child);
      const lease = await open().interpreter(needs(SIX), () => undefined);
      expect(await sixIn(lease.python)).toBe('1.16.0');
      expect(await readdir(join(root, 'built'))).toHaveLength(1);
    } finally {
      await slow.close();
    }
  });

  test('a Python that is not here is named when the deployment is made, with the line of the map that helps', async () => {
    const environments = open();
    const old = needs('dependencies: [python=3.8.13, six]');
    const reason = await reasonOf(environments.check(old));
    expect(reason).toBeInstanceOf(ModelFault);
    expect(reason.message).toBe(
      'azureml:heart-env:3 asks for Python 3.8, which is not on this machine: install it, or name one with ' +
        'BATCHPOINT_PYTHON_ENVIRONMENTS={"heart-env":"/path/to/python"}.',
    );
    expect(await reasonOf(environments.interpreter(old, () => undefined))).toEqual(reason);
    await environments.check(needs('dependencies: ["python>=3.8", six]'));
    const mapped = open({ map: { 'heart-env': python } });
    await mapped.check(old);
    expect(await mapped.interpreter(old, () => undefined)).toMatchObject({ python, ignored: [] });
  });

  test('a package that does not exist fails with the line that says so, is not kept, and leaves nothing', async () => {
    const environments = open();
    const wrong = needs('dependencies: [six=99.1]');
    await environments.check(wrong);
    const asked = [1, 2].map(() => reasonOf(environments.interpreter(wrong, () => undefined)));
    for (const reason of await Promise.all(asked)) {
      expect(reason).toBeInstanceOf(ModelFault);
      expect(reason.message).toMatch(
        /^The environment azureml:heart-env:3 could not be built: Because .*six==99\.1\.\*.*unsatisfiable\.$/,
      );
    }
    expect(await readdir(join(root, 'built'))).toEqual([]);
    expect(await reasonOf(environments.interpreter(wrong, () => undefined))).toBeInstanceOf(ModelFault);
  });

  test('an index that is out of reach is no fault of the environment, and its password is not told', async () => {
    const environments = open({
      own: {
        ...process.env,
        PATH: onlyUv,
        PIP_INDEX_URL: 'http://user:hush@127.0.0.1:9/simple',
        UV_NO_CACHE: '1',
        UV_HTTP_RETRIES: '0',
      },
    });
    const log: string[] = [];
    const reason = await reasonOf(environments.interpreter(needs(SIX), (line) => void log.push(line)));
    expect(reason).not.toBeInstanceOf(ModelFault);
    expect(reason.message).toContain('127.0.0.1:9/simple/six/');
    expect([reason.message, ...log].join('\n')).not.toContain('hush');
  });

  test('says how to get uv where there is none', async () => {
    await run(python, ['-m', 'venv', '--without-pip', join(root, 'bare')]);
    const bare = join(root, 'bare/bin/python');
    const environments = open({ python: bare, own: { ...process.env, PATH: '' } });
    const reason = await reasonOf(environments.check(needs(SIX)));
    expect(reason).toEqual(
      new ModelFault('Environments are built by uv, which is not on this machine: pip install uv.'),
    );
  });

  test('finds uv as a module of the default interpreter', async () => {
    const environments = open({ own: { ...process.env, PATH: '' } });
    await environments.check(needs(SIX));
  });

  test('removes the least recently used environment above the limit, but none that is in use', async () => {
    const environments = open({ maxBytes: 0 });
    const ask = (conda: string) => environments.interpreter(needs(conda), () => undefined);
    const first = await ask('dependencies: [six=1.13]');
    const second = await ask('dependencies: [six=1.15]');
    expect([first, second].map((lease) => existsSync(lease.python))).toEqual([true, true]);
    first.release();
    first.release();
    const other = await askElsewhere();
    const third = await ask('dependencies: [six=1.14]');
    expect([first, second, third].map((lease) => existsSync(lease.python))).toEqual([false, true, true]);
    expect(existsSync(other.python)).toBe(true);
  });
});

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { runCommand } from '../../../shared/pipeline/run-command.ts';
import { findCodeUser, openWorkFolder } from '../../../shared/scoring/code-user.ts';
import type { MiniBatchEngine } from '../../../shared/scoring/engine.ts';
import { pythonEnvironments } from '../../../shared/scoring/environments/python-environments.ts';
import { removeFolder, takeFolder } from '../../../shared/scoring/held-folder.ts';
import { localFolders } from '../../../shared/scoring/local-folders.ts';
import { moduleEngine } from '../../../shared/scoring/module/engine.ts';
import { pythonEngine } from '../../../shared/scoring/python/engine.ts';
import { CODE_USER, IS_ROOT, workFolderFor } from './code-user-world.ts';
import { gather } from './module/code.ts';

/** What a child tries, as shell text. Each line that it prints is a name and whether it went well. */
const TRIES = `
try() { name=$1; shift; if ( "$@" ) >/dev/null 2>&1; then echo "$name yes"; else echo "$name no"; fi; }
try 'reads the copies' sh -c 'cat "$COPY/data.txt"'
try 'writes a copy' sh -c 'echo x >> "$COPY/data.txt"'
try 'removes a copy' rm -f "$COPY/data.txt"
try 'adds to the copies' touch "$COPY/other.txt"
try 'opens them by itself' chmod -R 777 "$COPY"
try 'lists the copies of others' ls "$COPY/../"
try 'lists the work folder' ls "$WORK"
try 'reads the state of the app' cat "$STATE/state.json"
try 'reads the environment of the app' cat "/proc/$APP/environ"
try 'looks into the memory of the app' head -c 1 "/proc/$APP/mem"
try 'kills the app' kill -s CONT "$APP"
try 'writes to its home' touch "$HOME/a"
try 'writes to its folder for temporary files' touch "$TMPDIR/a"
echo "$(id -u) $(id -g) $(id -G)"
`;

const OWN_USER = [
  'reads the copies yes',
  'writes a copy no',
  'removes a copy no',
  'adds to the copies no',
  'opens them by itself no',
  'lists the copies of others no',
  'lists the work folder no',
  'reads the state of the app no',
  'reads the environment of the app no',
  'looks into the memory of the app no',
  'kills the app no',
  'writes to its home yes',
  'writes to its folder for temporary files yes',
  `${CODE_USER.uid} ${CODE_USER.gid} ${CODE_USER.gid}`,
];

interface Scene {
  /** A folder with copies of code. */
  readonly code: string;
  readonly work: string;
  readonly variables: Readonly<Record<string, string>>;
}

const CODE = {
  'data.txt': 'data',
  'tries.sh': TRIES,
  'score.py': `import subprocess
def init(): pass
def run(files): return [subprocess.run(["sh", __file__.replace("score.py", "tries.sh")], capture_output=True, text=True).stdout]
`,
  'score.mjs': `import { execFileSync } from 'node:child_process';
export const run = () => [{ said: execFileSync('sh', [import.meta.dirname + '/tries.sh'], { encoding: 'utf8' }) }];
`,
  'kept.mjs': `import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
export const run = (files, { outputFolder }) => {
  mkdirSync(outputFolder + '/deep');
  writeFileSync(outputFolder + '/deep/a.txt', 'kept');
  return files.map(() => process.getuid());
};
`,
};

const TEXTS = new Map(Object.entries(CODE));

/** The app's folders, as they are where code has a user of its own. */
async function scene(): Promise<Scene> {
  const work = await workFolderFor(CODE_USER);
  const folders = localFolders({ root: join(work, 'assets'), maxBytes: 1e9, user: CODE_USER });
  const { path } = await folders.lease({
    key: 'code',
    files: Object.entries(CODE).map(([path, text]) => ({ path, length: Buffer.byteLength(text) })),
    read: (path) => Promise.resolve(Readable.from([Buffer.from(TEXTS.get(path) ?? '')])),
  });
  const state = await mkdtemp(join(tmpdir(), 'bp-state-'));
  onTestFinished(() => rm(state, { recursive: true, force: true }));
  await writeFile(join(state, 'state.json'), '{}');
  const variables = { COPY: path, WORK: work, STATE: state, APP: String(process.pid) };
  return { code: path, work, variables };
}

const Said = z.string().transform((text) => text.replaceAll('"', '').trim().split('\n'));

async function said(engine: MiniBatchEngine, work: string): Promise<readonly string[]> {
  onTestFinished(() => engine.close());
  const outputFolder = await mkdtemp(join(work, 'out-'));
  const { text } = await gather(engine, { files: [{ name: 'a', path: '/a' }], outputFolder }, {});
  return Said.parse(text);
}

const ENGINE = { workers: 1, loggingLevel: 'Info', idleMs: 60_000, user: CODE_USER } as const;

/** Every way in which code of callers is run. */
const KINDS: Readonly<Record<string, (at: Scene) => Promise<readonly string[]>>> = {
  async 'a command of a pipeline'({ work, variables }) {
    const folder = join(work, 'step');
    await mkdir(folder);
    await chmod(folder, 0o777);
    const lines: string[] = [];
    const result = await runCommand({
      script: TRIES,
      cwd: folder,
      folder,
      environment: { ...variables, PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder },
      limits: { timeoutMs: 60_000, diskBytes: 1e9 },
      user: CODE_USER,
      signal: new AbortController().signal,
      print: ({ text }) => lines.push(text),
    });
    expect(result).toEqual({ ok: true });
    return lines;
  },
  async 'a scoring script'({ code, work, variables }) {
    const place = { codeFolder: code, modelFolder: code, environmentVariables: variables };
    return said(await pythonEngine({ ...ENGINE, ...place, python: '/usr/bin/python3', script: 'score.py' }), work);
  },
  async 'a scoring module'({ code, work, variables }) {
    const place = { codeFolder: code, modelFolder: code, environmentVariables: variables };
    return said(await moduleEngine({ ...ENGINE, ...place, script: 'score.mjs' }), work);
  },
};

const asRoot = IS_ROOT ? describe : () => undefined;

asRoot('code with a user of its own', () => {
  test.each(Object.entries(KINDS))('%s can do its work, and nothing to the app', async (_kind, run) => {
    expect(await run(await scene())).toEqual(OWN_USER);
  });

  test('a module hands over the files that it wrote', async () => {
    const { code, work } = await scene();
    const engine = await moduleEngine({
      ...ENGINE,
      codeFolder: code,
      modelFolder: code,
      environmentVariables: {},
      script: 'kept.mjs',
    });
    onTestFinished(() => engine.close());
    const outputFolder = await mkdtemp(join(work, 'out-'));
    const { text } = await gather(engine, { files: [{ name: 'a', path: '/a' }], outputFolder }, {});
    expect(text).toBe(`${CODE_USER.uid}\n`);
    expect(await readFile(join(outputFolder, 'deep/a.txt'), 'utf8')).toBe('kept');
  });

  test('environments are built by that user and belong to the app then', async () => {
    const work = await workFolderFor(CODE_USER);
    // An interpreter, and a uv that makes what uv makes and tells who it is.
    const bin = join(work, 'bin');
    const python = join(bin, 'python');
    await mkdir(bin);
    await writeFile(python, `#!/bin/sh\necho '{"base": "${python}", "version": "3.11.7"}'\n`, { mode: 0o755 });
    const venv = 'cd "$folder"; mkdir bin; touch bin/python; chmod 666 bin/python; touch "$HOME/a"; id -u >&2';
    const uv = `#!/bin/sh\nfor folder; do :; done\nif [ "$1" = venv ]; then ${venv}; else echo '${python}'; fi\n`;
    await writeFile(join(bin, 'uv'), uv, { mode: 0o755 });
    const lines: string[] = [];
    const all = pythonEnvironments({
      python,
      map: {},
      build: true,
      root: join(work, 'e'),
      maxBytes: 1e9,
      own: { ...process.env, PATH: [bin, process.env['PATH']].join(delimiter) },
      user: CODE_USER,
      say: (line) => lines.push(line),
    });
    onTestFinished(() => all.close());
    const needs = { label: 'azureml:env:1', image: null, condaFile: 'dependencies: [python]', requirements: null };
    const lease = await all.interpreter(needs, (line) => lines.push(line));
    const { uid, gid, mode } = await stat(lease.python);
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 0, gid: 0, mode: 0o644 });
    expect(lines).toContain(String(CODE_USER.uid));
    lease.release();
  });

  test('a work folder behind a closed folder keeps the app from starting', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'bp-closed-'));
    onTestFinished(() => rm(closed, { recursive: true }));
    await expect(openWorkFolder(join(closed, 'work'), CODE_USER)).rejects.toThrow(`cannot pass through ${closed} to`);
  });

  test('a folder of the code is removed or taken without following its links', async () => {
    const work = await workFolderFor(CODE_USER);
    const outside = join(work, 'outside');
    const folder = join(work, 'folder');
    await mkdir(outside, { mode: 0o700 });
    await writeFile(join(outside, 'a'), 'a', { mode: 0o600 });
    await mkdir(join(folder, 'deep'), { recursive: true });
    await writeFile(join(folder, 'deep/b'), 'b', { mode: 0o600 });
    await chmod(join(folder, 'deep/b'), 0o4777);
    await symlink(outside, join(folder, 'link'));
    await symlink(join(outside, 'a'), join(folder, 'deep/a'));
    await takeFolder(folder);
    const tries = 'stat -c "%n %u %a" deep deep/b "$OUT" "$OUT/a" link';
    const lines: string[] = [];
    await runCommand({
      script: tries,
      cwd: folder,
      folder,
      environment: { PATH: process.env['PATH'] ?? '', OUT: '../outside' },
      limits: { timeoutMs: 60_000, diskBytes: 1e9 },
      signal: new AbortController().signal,
      print: ({ text }) => lines.push(text),
    });
    expect(lines).toEqual(['deep 0 755', 'deep/b 0 755', '../outside 0 700', '../outside/a 0 600', 'link 0 777']);
    await removeFolder(folder, CODE_USER);
    expect(await readdir(work)).toEqual(['outside']);
    expect(await readdir(outside)).toEqual(['a']);
    await removeFolder(folder, CODE_USER);
  });
});

describe('BATCHPOINT_CODE_USER', () => {
  const found = async (setting: string): Promise<unknown> => {
    const folder = await mkdtemp(join(tmpdir(), 'bp-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const passwd = 'root:x:0:0::/root:/bin/sh\ncoder:x:1001:1002::/nonexistent:/bin/false\n';
    await writeFile(join(folder, 'passwd'), passwd);
    return findCodeUser(setting, join(folder, 'passwd'));
  };

  test.each([
    ['coder', { uid: 1001, gid: 1002 }],
    ['54321:54322', { uid: 54_321, gid: 54_322 }],
  ])('%s is a user where the app is root, and a clear error where it is not', async (setting, user) => {
    if (IS_ROOT) expect(await found(setting)).toEqual(user);
    else await expect(found(setting)).rejects.toThrow(/needs an app that runs as root|works on Linux only/);
  });

  test.each([
    ['nobody-here', 'there is no user nobody-here on this machine'],
    ['root', 'must not be root'],
    ['0:5', 'must not be root'],
    ['5:0', "nor in root's group"],
  ])('%s is refused', async (setting, reason) => {
    await expect(found(setting)).rejects.toThrow(reason);
  });
});

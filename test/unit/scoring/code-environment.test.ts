import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { runCommand } from '../../../shared/pipeline/run-command.ts';
import { stepEnvironment } from '../../../shared/pipeline/step-environment.ts';
import type { MiniBatchEngine } from '../../../shared/scoring/engine.ts';
import { pythonEnvironments } from '../../../shared/scoring/environments/python-environments.ts';
import { moduleEngine } from '../../../shared/scoring/module/engine.ts';
import { checkScript } from '../../../shared/scoring/python/check-script.ts';
import { pythonEngine } from '../../../shared/scoring/python/engine.ts';
import { pyfuncEngine } from '../../../shared/scoring/python/pyfunc.ts';
import { gather } from './module/code.ts';

const SECRET = 'a-secret-of-the-app';

/** What Azure, the host and this app keep in their environment, and code could use to be the app. */
const SECRETS = [
  'IDENTITY_ENDPOINT',
  'IDENTITY_HEADER',
  'MSI_ENDPOINT',
  'MSI_SECRET',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_STORAGE_CONNECTION_STRING',
  'APPSETTING_AzureWebJobsStorage',
  'AzureWebJobsStorage',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPINSIGHTS_INSTRUMENTATIONKEY',
  'SQLCONNSTR_MAIN',
  'CUSTOMCONNSTR_MAIN',
  'WEBSITE_AUTH_ENCRYPTION_KEY',
  'WEBSITE_AUTH_SIGNING_KEY',
  'WEBSITE_HOSTNAME',
  'CONTAINER_ENCRYPTION_KEY',
  'MACHINEKEY_DecryptionKey',
  'BATCHPOINT_STATE',
  'BATCHPOINT_DATASTORES',
  'BATCHPOINT_DEV_JWKS',
  'NODE_OPTIONS_FILE',
  'LD_PRELOAD_FILE',
  'GITHUB_TOKEN',
] as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bp-environment-'));
  for (const name of SECRETS) vi.stubEnv(name, SECRET);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, text: string, mode = 0o644): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

const dumped = join('dump', 'environment');
const dumpFile = (): string => join(folder, dumped);

/** Adds its environment to a file: a kind may start several programs. */
const shellDump = (): string => `env >> '${dumpFile()}'`;
const pythonDump = (): string =>
  `import os\nwith open(${JSON.stringify(dumpFile())}, "a") as out: out.write("".join(f"{k}={v}\\n" for k, v in os.environ.items()))\n`;

async function scored(engine: MiniBatchEngine): Promise<void> {
  onTestFinished(() => engine.close());
  const outputFolder = join(folder, 'out');
  await mkdir(outputFolder);
  await gather(engine, { files: [{ name: 'a', path: '/a' }], outputFolder }, {});
}

const engineOptions = () => ({
  workers: 1,
  loggingLevel: 'Info' as const,
  idleMs: 60_000,
  codeFolder: folder,
  modelFolder: folder,
  environmentVariables: { GIVEN: 'by the deployment' },
});

const PYTHON = '/usr/bin/python3';

/** Everything that starts a process with what callers bring. */
const KINDS: Readonly<Record<string, () => Promise<void>>> = {
  async 'a scoring script'() {
    await write('score.py', `${pythonDump()}\ndef init(): pass\ndef run(files): return [1 for _ in files]\n`);
    await scored(await pythonEngine({ ...engineOptions(), python: PYTHON, script: 'score.py' }));
  },
  async "a model of MLflow's python_function"() {
    await write('MLmodel', 'flavors:\n  python_function:\n    loader_module: nowhere\n');
    // The first thing that the driver imports of it.
    await write('packages/mlflow/__init__.py', pythonDump());
    const environmentVariables = { ...engineOptions().environmentVariables, PYTHONPATH: join(folder, 'packages') };
    const engine = pyfuncEngine({ ...engineOptions(), python: PYTHON, environmentVariables });
    await expect(engine).rejects.toThrow('mlflow');
  },
  async 'a scoring module'() {
    const dump = `import { execSync } from 'node:child_process';\nexecSync(${JSON.stringify(shellDump())});\n`;
    await write('score.mjs', `${dump}export const run = (files) => files.map(() => 1);\n`);
    await scored(await moduleEngine({ ...engineOptions(), script: 'score.mjs' }));
  },
  async 'a command of a pipeline'() {
    const given = { GIVEN: 'by the deployment' };
    const result = await runCommand({
      script: shellDump(),
      cwd: folder,
      folder,
      environment: stepEnvironment({
        own: process.env,
        given,
        programs: undefined,
        home: folder,
        tmp: folder,
        mlflow: folder,
      }),
      limits: { timeoutMs: 60_000, diskBytes: 1e9 },
      signal: new AbortController().signal,
      print: () => undefined,
    });
    expect(result).toEqual({ ok: true });
  },
  async 'a look at a script'() {
    const python = await write('bin/python', `#!/bin/sh\n${shellDump()}\necho GIVEN=none >> '${dumpFile()}'\n`, 0o755);
    await write('score.py', '');
    await checkScript(python, folder, 'score.py');
  },
  async 'the building of an environment'() {
    // An interpreter and a uv that write down what they are told of.
    const answer = `echo '{"base": "${join(folder, 'bin/python')}", "version": "3.11.7"}'`;
    const python = await write('bin/python', `#!/bin/sh\n${shellDump()}\n${answer}\n`, 0o755);
    await write('bin/uv', `#!/bin/sh\n${shellDump()}\necho GIVEN=none >> '${dumpFile()}'\necho '${python}'\n`, 0o755);
    vi.stubEnv('PATH', [join(folder, 'bin'), process.env['PATH']].join(delimiter));
    const root = join(folder, 'r');
    const say = (): void => undefined;
    const all = pythonEnvironments({ python, map: {}, build: true, root, maxBytes: 1e9, own: process.env, say });
    onTestFinished(() => all.close());
    const needs = { label: 'azureml:env:1', image: null, condaFile: 'dependencies: [six]', requirements: null };
    (await all.interpreter(needs, say)).release();
  },
};

describe('the environment of a process that runs what callers bring', () => {
  test.each(Object.entries(KINDS))('%s: knows what it was given and nothing of the app', async (_kind, run) => {
    await mkdir(dirname(dumpFile()));
    await run();
    const lines = (await readFile(dumpFile(), 'utf8')).split('\n');
    const names = lines.map((line) => line.split('=')[0] ?? '');
    expect(names).toContain('GIVEN');
    expect(names).toContain('PATH');
    expect(lines.filter((line) => line.includes(SECRET))).toEqual([]);
    const forbidden = /^(AZURE_|MSI_|IDENTITY_|APPSETTING_|WEBSITE_|AzureWebJobs|BATCHPOINT_(?!PROCESS$))/;
    expect(names.filter((name) => forbidden.test(name))).toEqual([]);
  });
});

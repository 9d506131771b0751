import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { PROJECT } from '../../cli/stack.ts';
import { runCommand, type RunningCommand } from '../cli/running-command.ts';
import { withStorageHost } from './storage-host.ts';
import { ensureUv, ensureVirtualEnvironment } from '../../cli/virtual-environment.ts';

/**
 * Runs test/sdk/*.py: the real azure-ai-ml client against a freshly started app. Arguments go to pytest. The last line is
 * "N passed, N failed"; a skipped test is a failure.
 *
 *     npm run test:sdk [-- -k download]
 */
async function main(): Promise<void> {
  const python = await ensureVirtualEnvironment({
    folder: join(PROJECT, '.venv-sdk'),
    requirements: join(PROJECT, 'test/sdk/requirements.txt'),
    purpose: 'the azure-ai-ml client',
  });
  const uv = await ensureUv();
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-sdk-'));
  try {
    const failed = await withStorageHost(() => withApp(folder, uv, (env) => pytest(python, folder, env)));
    process.exitCode = failed ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Starts the app as a person would who lets it build environments, and hands on what it prints for Python: variables, and lines
 * of code in a file. `uv` is the interpreter beside which it is.
 */
async function withApp<T>(folder: string, uv: string, use: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  const log = join(folder, 'app.log');
  const app = runCommand('start.ts', ['--https', '--port', '0', '--storage-port', '0'], {
    BATCHPOINT_FOLDER: folder,
    BATCHPOINT_WORK_FOLDER: join(folder, 'work'),
    BATCHPOINT_BUILD_ENVIRONMENTS: 'true',
    // Last, so that its python3 is nobody's.
    PATH: [process.env['PATH'], dirname(uv)].join(delimiter),
  });
  const file = createWriteStream(log);
  for (const stream of [app.process.stdout, app.process.stderr]) stream?.pipe(file, { end: false });
  try {
    await app.said('Ctrl-C ends both.');
    return await use({
      ...printedVariables(app),
      SDK_SETUP: printedPython(app),
      SDK_APP_LOG: log,
      SDK_STORAGE: printedStorage(app),
    });
  } finally {
    app.process.kill('SIGTERM');
    await app.ended;
    file.end();
  }
}

function printedVariables(app: RunningCommand): NodeJS.ProcessEnv {
  const variables: NodeJS.ProcessEnv = {};
  for (const [, name = '', value] of app.output().matchAll(/^ {2}export (\w+)=(.*)$/gm)) variables[name] = value;
  return variables;
}

const printedStorage = (app: RunningCommand): string => /^Storage: (.*)$/m.exec(app.output())?.[1] ?? '';

const printedPython = (app: RunningCommand): string =>
  [...app.output().matchAll(/^ {2}((?:from azure|cloud = |workspace = |ml_client = ).*)$/gm)]
    .map(([, line]) => line)
    .join('\n');

/** Whether any test failed. */
async function pytest(python: string, folder: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const report = join(folder, 'report.xml');
  const args = ['-m', 'pytest', 'test/sdk', '-p', 'no:cacheprovider', `--junitxml=${report}`, ...process.argv.slice(2)];
  const child = spawn(python, args, {
    cwd: PROJECT,
    env: { ...process.env, ...env, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: 'inherit',
  });
  await once(child, 'close');
  const counts = await readFile(report, 'utf8');
  const count = (name: string): number => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(counts)?.[1]);
  const failed = count('failures') + count('errors') + count('skipped');
  const passed = count('tests') - failed;
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || !(passed > 0);
}

await main();

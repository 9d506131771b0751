import { once } from 'node:events';
import { copyFile, chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { chooseHost } from '../../cli/functions-host.ts';
import { PROJECT } from '../../cli/stack.ts';
import { answers, commandOf, isAlive, runCommand, type RunningCommand } from './running-command.ts';

let folder: string;
let bin: string;
const running = new Set<RunningCommand>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-start-'));
  bin = join(folder, 'bin');
  await mkdir(bin);
  await copyFile(join(PROJECT, 'test/fixtures/fake-func.mjs'), join(bin, 'func'));
  await chmod(join(bin, 'func'), 0o755);
});
afterEach(async () => {
  for (const command of running) {
    command.process.kill('SIGTERM');
    await command.ended;
  }
  running.clear();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const record = () => join(folder, 'record.json');
const withFunc = () => ({ PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, FAKE_FUNC_RECORD: record() });

function start(env: NodeJS.ProcessEnv, args: readonly string[] = [], project = PROJECT): RunningCommand {
  const ports = ['--port', '0', '--storage-port', '0'];
  const command = runCommand('start.ts', [...ports, ...args], { BATCHPOINT_FOLDER: folder, ...env }, project);
  running.add(command);
  return command;
}

/** The project as git checks it out: what is compiled is there, local.settings.json is not. */
async function freshClone(): Promise<string> {
  const clone = await mkdtemp(join(folder, 'clone-'));
  for (const name of await readdir(PROJECT))
    if (name !== 'cli' && name !== 'local.settings.json') await symlink(join(PROJECT, name), join(clone, name));
  await cp(join(PROJECT, 'cli'), join(clone, 'cli'), { recursive: true });
  return clone;
}

/** The ports of the app and of storage, as it prints them. */
const portsOf = (command: RunningCommand): number[] =>
  [...command.output().matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));

const Recorded = z.object({
  args: z.array(z.string()),
  settings: z.record(z.string(), z.string()),
  folder: z.string(),
});

const ready = 'Ctrl-C ends both.';

describe('which host runs', () => {
  test.each([
    [undefined, 'with', 'func'],
    [undefined, 'without', 'embedded'],
    ['embedded', 'with', 'embedded'],
    ['func', 'with', 'func'],
  ])('--host %s %s func on PATH: %s', async (asked, has, name) => {
    const path = has === 'with' ? `${join(folder, 'absent')}${delimiter}${bin}` : folder;
    expect(await chooseHost(asked, path)).toEqual(
      name === 'func' ? { name, path: join(bin, 'func') } : { name: 'embedded' },
    );
  });

  test.each([
    ['func', "There is no 'func' on PATH: install Azure Functions Core Tools 4, or use --host embedded."],
    ['moon', "--host is embedded or func, not 'moon'."],
  ])('--host %s is refused', async (asked, message) => {
    await expect(chooseHost(asked, folder)).rejects.toThrow(message);
  });

  test('func that fails is shown with what it said', async () => {
    const command = start({ ...withFunc(), FAKE_FUNC_FAULT: 'No runtime of that name.' });
    expect(await command.ended).toBe(1);
    expect(command.output().trimEnd().split('\n').slice(-1)).toEqual(['No runtime of that name.']);
  });
});

test('grants of whoever starts it stand, and a wrong one is named', async () => {
  const command = start({ BATCHPOINT_GRANTS: '[{"role":"nobody","datastore":"*","access":["read"]}]' });
  expect(await command.ended).toBe(1);
  expect(command.output()).toContain('BATCHPOINT_GRANTS.0.role');
});

/** Ends a started command by a signal and checks that everything it started has gone. */
async function end(command: RunningCommand, signal: NodeJS.Signals, processes: number): Promise<void> {
  const started = command.descendants();
  const ports = portsOf(command);
  expect(started).toHaveLength(processes);
  expect(ports.length).toBeGreaterThan(3);
  command.process.kill(signal);
  expect(await command.ended).toBe(signal === 'SIGKILL' ? null : 130);
  await expect.poll(() => started.filter(isAlive), { timeout: 25_000 }).toEqual([]);
  expect(await Promise.all(ports.map(answers))).toEqual(ports.map(() => false));
}

test('a fresh clone starts before anything else was run in it', async () => {
  const clone = await freshClone();
  const command = start({}, ['--host', 'embedded'], clone);
  await command.said(ready);
  expect(await readFile(join(clone, 'local.settings.json'), 'utf8')).toContain('BATCHPOINT_DEV_JWKS');
});

describe('the end leaves no process and no port', () => {
  test.each(['SIGINT', 'SIGKILL'] as const)('on the embedded host, %s', async (signal) => {
    const command = start(withFunc(), ['--host', 'embedded']);
    await command.said(ready);
    await end(command, signal, ['Azurite', 'host'].length);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('on func, %s; it had our port, settings and Azurite', async (signal) => {
    const command = start(withFunc());
    await command.said(ready);
    expect(command.output()).toContain(`Host: Azure Functions Core Tools (${join(bin, 'func')};`);
    const { args, settings, folder: where } = Recorded.parse(JSON.parse(await readFile(record(), 'utf8')));
    const [port = 0] = portsOf(command);
    expect(args).toEqual(['start', '--port', String(port)]);
    expect(where).toBe(PROJECT);
    expect(settings['AzureWebJobsStorage']).toMatch(/BlobEndpoint=http:\/\/127\.0\.0\.1:\d+\/devstoreaccount1/);
    expect(settings['BATCHPOINT_STATE']).toBe(settings['AzureWebJobsStorage']);
    expect(settings['BATCHPOINT_DEV_JWKS']).toContain('"keys"');
    await end(command, signal, ['Azurite', 'watcher of func', 'func', 'its worker'].length);
  });

  test('also while it starts', async () => {
    const command = start({}, ['--host', 'embedded']);
    await command.said('Host: the embedded host');
    await expect.poll(() => command.descendants().length).toBeGreaterThan(0);
    const started = command.descendants();
    command.process.kill('SIGINT');
    expect(await command.ended).toBe(130);
    await expect.poll(() => started.filter(isAlive), { timeout: 25_000 }).toEqual([]);
  });
});

describe('over HTTPS', () => {
  /** The status of a GET by a client that trusts the certificate which the command made. */
  const status = (url: string, ca: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      get(url, { ca }, (response) => resolve(response.resume().statusCode)).once('error', reject);
    });

  test('it says what Python needs to trust it, and nothing stays behind', async () => {
    const command = start({}, ['--https']);
    await command.said(ready);
    const said = command.output();
    const [, ca = ''] = /^ {2}export REQUESTS_CA_BUNDLE=(.*)$/m.exec(said) ?? [];
    const [, url = ''] = /"resource_manager":"(https:\/\/localhost:\d+)"/.exec(said) ?? [];
    expect(await status(`${url}/health`, await readFile(ca, 'utf8'))).toBe(200);
    expect(said).toContain('  127.0.0.1 devstoreaccount1.blob.core.localhost\n');
    expect(said).toMatch(/^ {2}export IDENTITY_ENDPOINT=http:\/\/127\.0\.0\.1:\d+\/msi\/token$/m);
    expect(said).toMatch(/BlobEndpoint=https:\/\/127\.0\.0\.1:\d+\/devstoreaccount1/);
    const started = command.descendants();
    command.process.kill('SIGINT');
    expect(await command.ended).toBe(130);
    await expect.poll(() => started.filter(isAlive), { timeout: 25_000 }).toEqual([]);
  });

  test('not on func, whose certificates have another form', async () => {
    const command = start(withFunc(), ['--https', '--host', 'func']);
    expect(await command.ended).toBe(1);
    expect(command.output()).toBe('--https works with --host embedded only.\n');
  });
});

describe('what cannot start says so in one line', () => {
  /** Makes the package look absent to `require.resolve`. */
  const withoutAzurite = `data:text/javascript,${encodeURIComponent(`
    import Module from 'node:module';
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (name, ...rest) {
      if (name.startsWith('azurite/')) throw Object.assign(new Error('absent'), { code: 'MODULE_NOT_FOUND' });
      return resolve.call(this, name, ...rest);
    };`)}`;

  test.each([
    [
      'a missing Azurite',
      { NODE_OPTIONS: `--import=${withoutAzurite}` },
      'Azurite is not installed: run npm ci in the project (it is a development dependency).',
    ],
    [
      'a host that refuses a setting',
      { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1MB' },
      "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT must be a number of bytes, not '1MB'.",
    ],
  ])('%s', async (_name, env, line) => {
    const command = start(env, ['--host', 'embedded']);
    expect(await command.ended).toBe(1);
    expect(command.output().trimEnd().split('\n').slice(1)).toEqual([line]);
    expect(command.descendants()).toEqual([]);
  });

  test('a folder that another start works in; that one goes on', async () => {
    const first = start({}, ['--host', 'embedded']);
    await first.said(ready);
    const second = start({}, ['--host', 'embedded', '--reset']);
    expect(await second.ended).toBe(1);
    expect(second.output()).toMatch(
      new RegExp(`^${folder} is in use by process ${first.process.pid}\\. Stop it, .+\n$`),
    );
    const [port = 0] = portsOf(first);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });

  test.each([
    ['Azurite', 'azurite.js', 'The storage (Azurite) ended by itself (SIGKILL).'],
    ['the host', 'main.js', 'The app ended by itself (SIGKILL).'],
  ])('%s that dies while the app runs', async (_name, script, line) => {
    const command = start({}, ['--host', 'embedded']);
    await command.said(ready);
    const pid = command.descendants().find((one) => commandOf(one).includes(script));
    process.kill(pid ?? 0, 'SIGKILL');
    expect(await command.ended).toBe(1);
    expect(command.output().trimEnd().split('\n').slice(-1)).toEqual([line]);
  });

  test('a storage port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = z.object({ port: z.number() }).parse(other.address());
    const second = start({}, ['--storage-port', String(port)]);
    expect(await second.ended).toBe(1);
    expect(second.output()).toBe(
      `Port ${port} is taken. Stop what listens there, or give another with --storage-port (0 picks a free one).\n`,
    );
    other.close();
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { appRoot, startHost, startRefused } from './start-host.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-host-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('an app that is refused', () => {
  test.each([
    ['reserved', 'The route "admin/mine" of the function \'mine\' begins with a reserved word (admin, runtime).'],
    ['runtime', 'The route "Runtime" of the function \'mine\' begins with a reserved word (admin, runtime).'],
    ['constraint', 'The route "api/items/{id:datetime}" has the unknown constraint "datetime".'],
    ['catchAll', 'The route "api/{*rest}/tail" has a catch-all that is not its last segment.'],
    ['duplicate', 'A function with id "mine" has already been registered.'],
    ['throws', 'broken while it loads'],
  ])('%s', async (fault, text) => {
    expect(await startRefused('refused', { FIXTURE_FAULT: fault })).toEqual({
      code: 1,
      stderr: expect.stringContaining(text) as string,
    });
  });

  test('without a file that matches "main"', async () => {
    const file = join(appRoot('empty'), 'package.json');
    const stderr = `Found zero files matching the pattern "functions/*.js" of ${file} "main": build the app, or correct it.\n`;
    expect(await startRefused('empty')).toEqual({ code: 1, stderr });
  });

  test('that throws while it loads: one line that says where, and the stack of the app', async () => {
    const { stderr } = await startRefused('refused', { FIXTURE_FAULT: 'throws' });
    const entry = join(appRoot('refused'), 'functions/app.js');
    const [first, ...stack] = stderr.split('\n');
    expect(first).toBe(`The entry point "${entry}" could not be loaded. broken while it loads`);
    expect(stack.join('\n')).toContain(`(file://${entry}:`);
  });

  test.each([
    ['no host.json', {}, 'host.json does not exist: is this the root of a function app?'],
    ['a host.json that is not JSON', { 'host.json': '{' }, 'host.json is not JSON. Expected property name'],
    [
      'settings that are not JSON',
      { 'host.json': '{}', 'local.settings.json': '' },
      'local.settings.json is not JSON.',
    ],
    [
      'a setting that is no text',
      { 'host.json': '{}', 'local.settings.json': '{"IsEncrypted":false,"Values":{"A":1}}' },
      'at Values.A',
    ],
    [
      'a host.json that is a list',
      { 'host.json': '[]' },
      'host.json: ✖ Invalid input: expected record, received array',
    ],
    ['a timeout that is no text', { 'host.json': '{"functionTimeout":5}' }, 'at functionTimeout'],
    ['a package.json that is not JSON', { 'host.json': '{}', 'package.json': '[' }, 'package.json is not JSON.'],
    ['a "main" that is no text', { 'host.json': '{}', 'package.json': '{"main":3}' }, 'at main'],
    ['no package.json', { 'host.json': '{}' }, 'package.json does not exist: is this the root of a function app?'],
    [
      'a wrong type in host.json',
      { 'host.json': '{"extensions":{"http":{"routePrefix":3}}}' },
      'at extensions.http.routePrefix',
    ],
    [
      'encrypted settings',
      { 'local.settings.json': '{"Values":{}}' },
      'is encrypted (IsEncrypted is true or missing).',
    ],
    [
      'any origin with credentials',
      { 'host.json': '{}', 'local.settings.json': '{"IsEncrypted":false,"Host":{"CORS":"*","CORSCredentials":true}}' },
      'local.settings.json: Host.CORS may not be "*" with CORSCredentials.',
    ],
    ['no "main"', { 'host.json': '{}', 'package.json': '{}' }, 'has no "main": no functions can be found.'],
  ])('%s', async (_name, files, text) => {
    const root = await mkdtemp(join(folder, 'app-'));
    for (const [name, content] of Object.entries(files)) await writeFile(join(root, name), content);
    const { code, stderr } = await startRefused(root);
    expect(code).toBe(1);
    expect(stderr).toContain(text);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test.each([
    [
      'does not answer',
      'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aw==;BlobEndpoint=http://127.0.0.1:9/a',
      'The storage at http://127.0.0.1:9/a (setting AzureWebJobsStorage) does not answer: start it',
    ],
    ['is none', 'nonsense', 'The setting AzureWebJobsStorage is not a connection string of a storage account.'],
  ])('storage that %s', async (_name, AzureWebJobsStorage, text) => {
    const { code, stderr } = await startRefused('durable', { AzureWebJobsStorage });
    expect({ code, lines: stderr.trimEnd().split('\n') }).toEqual({
      code: 1,
      lines: [expect.stringContaining(text) as string],
    });
  });

  test('a body limit that is no number', async () => {
    expect(await startRefused('http', { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1MB' })).toEqual({
      code: 1,
      stderr: "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT must be a number of bytes, not '1MB'.\n",
    });
  });

  test('a port that is taken, and one that is none', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = z.object({ port: z.number() }).parse(other.address());
    expect(await startRefused('http', {}, ['--port', String(port)])).toEqual({
      code: 1,
      stderr: `Port ${port} is taken. Stop what listens there, or choose another with --port (0 takes a free one).\n`,
    });
    other.close();
    expect(await startRefused('http', {}, ['--port', '70000'])).toEqual({
      code: 1,
      stderr: "--port must be a number from 0 to 65535, not '70000'.\n",
    });
  });
});

describe('the end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with code 0, open connections or not', async (signal) => {
    const host = await startHost('http');
    await fetch(`${host.url}/api/defaults`);
    const exit = once(host.process, 'exit');
    host.process.kill(signal);
    await exit;
    expect({ code: host.process.exitCode, stderr: host.stderr().includes('Error') }).toEqual({
      code: 0,
      stderr: false,
    });
  });

  test("its parent's end ends it", async () => {
    const main = new URL('../../local/main.ts', import.meta.url).href;
    const args = JSON.stringify(['--port', '0', '--root', appRoot('http')]);
    const script = `
      const host = require('node:child_process').fork(new URL('${main}'), ${args}, { silent: true });
      host.on('message', ({ port }) => console.log(port));`;
    const parent = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = z.tuple([z.instanceof(Buffer)]).parse(await once(parent.stdout, 'data'));
    const ping = async (): Promise<string> => {
      try {
        return String((await fetch(`http://localhost:${Number(port)}/admin/host/ping`)).status);
      } catch (error) {
        return error instanceof Error && error.cause instanceof Error && 'code' in error.cause
          ? String(error.cause.code)
          : String(error);
      }
    };
    expect(await ping()).toBe('200');
    parent.kill('SIGKILL');
    await expect.poll(ping, { timeout: 25_000 }).toBe('ECONNREFUSED');
  });
});

test('two hosts side by side each serve their own app and setting', async () => {
  const hosts = await Promise.all(['first', 'second'].map((name) => startHost('http', { FIXTURE_TAKEN: name })));
  try {
    const answers = hosts.map(async ({ url }) => (await fetch(`${url}/api/settings`)).json());
    expect(await Promise.all(answers)).toMatchObject([
      { taken: 'first', host: `localhost:${hosts[0]?.port}` },
      { taken: 'second', host: `localhost:${hosts[1]?.port}` },
    ]);
  } finally {
    await Promise.all(hosts.map((host) => host.stop()));
  }
});

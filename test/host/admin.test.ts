import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { startHost, type TestHost } from './start-host.ts';

let azurite: Azurite;
let host: TestHost;
beforeAll(async () => {
  azurite = await startAzurite();
  const container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient('given');
  await container.create();
  await container.getBlockBlobClient('in/a.txt').uploadData(Buffer.from('content'));
  const env = { AzureWebJobsStorage: azurite.connectionString, AzureWebJobsOther: azurite.connectionString };
  host = await startHost('admin', env);
});
afterAll(async () => {
  await host.stop();
  await azurite.stop();
});

const call = (path: string, init?: RequestInit): Promise<Response> => fetch(`${host.url}${path}`, init);

const post = async (name: string, body: string): Promise<number> =>
  (await call(`/admin/functions/${name}`, { method: 'POST', body, headers: { 'content-type': 'application/json' } }))
    .status;

describe('POST /admin/functions/{name}', () => {
  test.each([
    ['queue', '{"a":1}', { input: { a: 1 }, trigger: { a: 1 } }],
    ['QUEUE', 'text', { input: 'text', trigger: 'text' }],
    ['blob', 'given/in/a.txt', { input: 'bytes: content', trigger: 'given/in/a.txt' }],
    ['timer', '', { input: { schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false } }],
    ['work', '{"n":[1]}', { input: { n: [1] } }],
    ['work', '"text"', { input: 'text' }],
  ])('runs %s with %j', async (name, input, expected) => {
    const calls = async () => z.array(z.looseObject({})).parse(await (await call('/api/calls')).json());
    const before = (await calls()).length;
    expect(await post(name, JSON.stringify({ input }))).toBe(202);
    await expect.poll(async () => (await calls()).slice(before)).toEqual([{ name: name.toLowerCase(), ...expected }]);
  });

  test('answers at once: the function runs in the background', async () => {
    const released = async (): Promise<unknown> => (await call('/api/release')).json();
    expect(await post('slow', '{}')).toBe(202);
    await expect.poll(released).toEqual({ waited: true });
    await expect.poll(host.stdout).toMatch(/Executed 'Functions\.slow' \(Succeeded,/);
  });

  test.each([
    ['timer', '', 400],
    ['timer', '{', 400],
    ['timer', '"text"', 400],
    ['timer', '{"input":3}', 400],
    ['unknown', '{"input":"x"}', 404],
    ['unknown', '', 400],
  ])('%s with the body %j: %i', async (name, body, status) => {
    expect(await post(name, body)).toBe(status);
  });

  test.each([
    ['hello', 'An HttpRequest is required'],
    ['orchestrate', 'is called through its Durable client'],
    ['blob', "'x' is no path of a blob (container/name)."],
  ])('%s fails in the background as its trigger does', async (name, text) => {
    expect(await post(name, '{"input":"x"}')).toBe(202);
    await expect.poll(host.stderr).toContain(`error: The function '${name}' failed. Error: `);
    await expect.poll(host.stderr).toContain(text);
  });
});

test('a blob that is not there is named', async () => {
  expect(await post('blob', '{"input":"nope/absent.csv"}')).toBe(202);
  await expect
    .poll(host.stderr, { timeout: 25_000 })
    .toContain("error: The function 'blob' failed. Error: There is no blob 'nope/absent.csv'.");
});

describe('what /admin tells', () => {
  test('/admin/host/status says that it runs and that it is not the real host', async () => {
    const response = await call('/admin/host/status');
    expect(await response.json()).toEqual({
      ...{ id: 'embedded', state: 'Running', version: '4.0.0-embedded', versionDetails: '4.0.0-embedded' },
      processUptime: expect.any(Number) as number,
    });
  });

  test.each(['GET', 'POST'])('%s /admin/host/ping is 200', async (method) => {
    expect((await call('/admin/host/ping', { method })).status).toBe(200);
  });

  const timer = () => ({
    name: 'timer',
    href: `${host.url}/admin/functions/timer`,
    invoke_url_template: null,
    language: 'node',
    isDisabled: false,
    config: expect.objectContaining({ name: 'timer' }) as object,
  });

  test('/admin/functions lists every function with its bindings and address', async () => {
    const listed = z.array(z.looseObject({ name: z.string() })).parse(await (await call('/admin/functions')).json());
    const find = (name: string) => listed.find((each) => each.name === name);
    expect(find('timer')).toEqual(timer());
    expect(find('hello')).toMatchObject({ invoke_url_template: `${host.url}/api/greet/{name}` });
    expect(listed).toHaveLength(12);
  });

  test('one function, in any case, and its status', async () => {
    expect(await (await call('/admin/functions/TIMER')).json()).toEqual(timer());
    expect(await (await call('/admin/functions/timer/status')).json()).toEqual({});
    expect((await call('/admin/functions/unknown')).status).toBe(404);
    expect((await call('/admin/functions/unknown/status')).status).toBe(404);
  });

  test.each([
    ['GET', '/admin/host/keys'],
    ['POST', '/admin/functions'],
    ['DELETE', '/admin/functions/timer'],
    ['GET', '/admin/functions/timer/keys'],
    ['GET', '/admin'],
  ])('%s %s is a 501 that names it', async (method, path) => {
    const response = await call(path, { method });
    expect(response.status).toBe(501);
    expect(await response.json()).toEqual({ error: `The embedded host does not serve ${method} ${path}.` });
  });
});

describe('the console', () => {
  test('one line when a function begins and one when it ends', async () => {
    await call('/api/greet/you');
    const id = '[0-9a-f-]{36}';
    const reason = 'This function was programmatically called via the host APIs.';
    await expect
      .poll(host.stdout)
      .toMatch(
        new RegExp(
          `^Executing 'Functions\\.hello' \\(Reason='${reason}', Id=(${id})\\)\n` +
            `Executed 'Functions\\.hello' \\(Succeeded, Id=\\1, Duration=\\d+ms\\)$`,
          'm',
        ),
      );
  });

  test('a level of host.json hides them for a function, but not that it failed', async () => {
    await call('/api/quiet');
    await call('/api/quietFailure');
    await call('/api/greet/you');
    await expect.poll(host.stdout).toMatch(/Executed 'Functions\.hello'/);
    expect(host.stdout()).toMatch(/Executed 'Functions\.quietFailure' \(Failed,/);
    expect(host.stdout()).not.toMatch(/Functions\.quiet'/);
  });

  test('--verbose shows them all', async () => {
    const verbose = await startHost('admin', {}, ['--verbose']);
    await fetch(`${verbose.url}/api/quiet`);
    await expect.poll(verbose.stdout).toMatch(/Executed 'Functions\.quiet' \(Succeeded,/);
    await verbose.stop();
  });
});

describe('the page at /', () => {
  test('says that the host runs and links its functions', async () => {
    const response = await call('/');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const page = await response.text();
    expect(page).toContain('The function app is running');
    expect(page).toContain(`<a href="${host.url}/api/greet/{name}">`);
  });

  test('can be switched off', async () => {
    const silent = await startHost('admin', { AzureWebJobsDisableHomepage: 'True' });
    const response = await fetch(silent.url);
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 204, body: '' });
    await silent.stop();
  });

  test('is not there when a function answers', async () => {
    const rooted = await startHost('admin', { AzureFunctionsJobHost__extensions__http__routePrefix: '' });
    expect(await (await fetch(rooted.url)).text()).toBe('root undefined');
    expect((await fetch(`${rooted.url}/admin/host/ping`)).status).toBe(200);
    await rooted.stop();
  });

  test('CORS of local.settings.json holds for all of the host', async () => {
    const response = await call('/admin/host/ping', { headers: { origin: 'https://two.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://two.example');
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
  });
});

import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startHost, type TestHost } from './start-host.ts';

let host: TestHost;

beforeAll(async () => {
  host = await startHost('http', { FIXTURE_TAKEN: 'from the environment' });
});
afterAll(() => host.stop());

const seen = z.object({
  function: z.string(),
  method: z.string(),
  url: z.string(),
  params: z.record(z.string(), z.string()),
  query: z.array(z.tuple([z.string(), z.string()])),
  body: z.string(),
});

const call = (path: string, init?: RequestInit): Promise<Response> => fetch(`${host.url}${path}`, init);

/** What the function that answered saw of the request. */
async function seenBy(path: string, init?: RequestInit): Promise<z.infer<typeof seen>> {
  const response = await call(path, init);
  expect(response.status).toBe(200);
  return seen.parse(await response.json());
}

describe('routes', () => {
  test.each([
    ['/api/items/special', 'literal', {}],
    ['/api/ITEMS/Special', 'literal', {}],
    ['/API/items/17', 'byId', { id: '17' }],
    ['/api/items/-17', 'byId', { id: '-17' }],
    ['/api/items/17a', 'byName', { name: '17a' }],
    ['/api/items/a%20b', 'byName', { name: 'a b' }],
    ['/api/items/a%2Fb', 'byName', { name: 'a%2Fb' }],
    ['/api/items/50%', 'byName', { name: '50%' }],
    ['/api/pages', 'page', {}],
    ['/api/pages/', 'page', {}],
    ['/api/pages/3', 'page', { number: '3' }],
    ['/api/any', 'any', {}],
    ['/api/any/a', 'any', { rest: 'a' }],
    ['/api/any/a/b/c', 'any', { rest: 'a/b/c' }],
    ['/api/defaults', 'defaults', {}],
    ['/api/unrouted', 'unrouted', {}],
  ])('%s is answered by %s', async (path, name, params) => {
    expect(await seenBy(path)).toMatchObject({ function: name, method: 'GET', params });
  });

  test.each([
    ['GET', '/api'],
    ['GET', '/items/special'],
    ['GET', '/api/items'],
    ['GET', '/api/items/1/2'],
    ['GET', '/api/pages/three'],
    ['GET', '/api/unknown'],
    ['GET', '/runtime/webhooks/other'],
    ['POST', '/api/only'],
    ['PUT', '/api/defaults'],
    ['HEAD', '/api/only'],
    ['OPTIONS', '/api/only'],
  ])('%s %s is not found', async (method, path) => {
    const response = await call(path, { method });
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 404, body: '' });
  });

  test.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    '%s reaches a function that lists it',
    async (method) => {
      expect(await seenBy('/api/any/x', { method })).toMatchObject({ function: 'any', method });
    },
  );

  test('HEAD reaches a function that lists it, and is answered without a body', async () => {
    const response = await call('/api/any/x', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe('');
  });

  test('localhost and both loopback addresses answer', async () => {
    const { port } = host;
    const hasIPv6 = Object.values(networkInterfaces())
      .flat()
      .some((each) => each?.address === '::1');
    for (const name of ['localhost', '127.0.0.1', ...(hasIPv6 ? ['[::1]'] : [])]) {
      const response = await fetch(`http://${name}:${port}/api/defaults`);
      expect(seen.parse(await response.json()).url).toBe(`http://${name}:${port}/api/defaults`);
    }
  });
});

test('a connection is kept for two minutes, however busy the host is', async () => {
  const { headers } = await call('/api/echo');
  expect(headers.get('keep-alive')).toBe('timeout=130');
});

describe('what a function sees', () => {
  test('values of a repeated query name are joined by a comma', async () => {
    const { query, url } = await seenBy('/api/defaults?a=1&b=x%20y&a=2&c=');
    expect(query).toEqual([
      ['a', '1,2'],
      ['b', 'x y'],
      ['c', ''],
    ]);
    expect(url).toBe(`${host.url}/api/defaults?a=1&b=x%20y&a=2&c=`);
  });

  test('header names are lower-cased and their values joined', async () => {
    const sent = request(`${host.url}/api/headers`, { headers: { 'X-Mixed-Case': 'Value', 'x-many': ['1', '2'] } });
    sent.end();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    sent.once('error', reject);
    sent.once('response', (response) => resolve(text(response)));
    expect(JSON.parse(await promise)).toMatchObject({ 'x-mixed-case': 'Value', 'x-many': '1,2' });
  });

  test('a body with Content-Length', async () => {
    expect(await seenBy('/api/defaults', { method: 'POST', body: 'grüße' })).toMatchObject({ body: 'grüße' });
  });

  test('a body without Content-Length is lost, with a warning', async () => {
    const body = new Blob(['lost']).stream();
    expect(await seenBy('/api/defaults', { method: 'POST', body, duplex: 'half' })).toMatchObject({ body: '' });
    await expect.poll(host.stderr).toContain("came without Content-Length: 'defaults' does not see it.");
  });

  test.each([0, 1, 300_000])('%i bytes come back as they were', async (size) => {
    const body = randomBytes(size);
    const response = await call('/api/echo', { method: 'POST', body });
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  test('a body of more than 100 MiB is refused before it is read', async () => {
    const headers = { 'content-length': String(100 * 1024 * 1024 + 1) };
    const sent = request(`${host.url}/api/echo`, { method: 'POST', headers });
    sent.flushHeaders();
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    sent.once('error', reject);
    sent.once('response', (response) => resolve(response.statusCode));
    expect(await promise).toBe(413);
    sent.destroy();
  });

  test('each of 100 requests at once gets its own answer', async () => {
    const numbers = Array.from({ length: 100 }, (_, i) => String(i));
    const answers = await Promise.all(numbers.map((number) => seenBy(`/api/items/${number}`)));
    expect(answers.map(({ params }) => params['id'])).toEqual(numbers);
  });
});

describe('what a function answers', () => {
  test('status, headers and JSON', async () => {
    const response = await call('/api/status');
    expect(response.status).toBe(201);
    expect(response.headers.get('x-a')).toBe('1');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ made: true });
  });

  test('cookies with every attribute', async () => {
    const response = await call('/api/cookies');
    expect(response.headers.getSetCookie()).toEqual([
      'a=1%202; max-age=60; path=/; samesite=strict; httponly',
      'b=2; expires=Tue, 01 Jan 2030 00:00:00 GMT; secure',
      'c=3; max-age=0; domain=example.com; samesite=lax',
      'd=4; secure; samesite=none',
    ]);
  });

  test.each([
    ['/api/nothing', 200],
    ['/api/noContent', 204],
    ['/api/throws', 500],
    ['/api/text', 500],
    ['/api/badHeader', 500],
  ])('%s: %i with an empty body', async (path, status) => {
    const response = await call(path);
    expect({ status: response.status, body: await response.text() }).toEqual({ status, body: '' });
    expect(response.headers.get('x-before')).toBeNull();
  });

  test('what it throws is printed, and never sent', async () => {
    expect(await (await call('/api/throws')).text()).toBe('');
    await expect.poll(host.stderr).toContain("error: The function 'throws' failed. Error: broken on purpose");
  });

  test('a stream arrives whole', async () => {
    expect(await (await call('/api/stream')).text()).toBe('one|two|');
  });

  test('hooks see the invocation and may change its result', async () => {
    expect(await (await call('/api/hooked')).json()).toEqual({ hooked: true });
  });
});

describe('around the functions', () => {
  test('settings: what the environment has wins over local.settings.json, and the host adds its own', async () => {
    expect(await (await call('/api/settings')).json()).toEqual({
      setting: 'from the file',
      taken: 'from the environment',
      host: `localhost:${host.port}`,
      root: expect.stringMatching(/test\/host\/apps\/http$/) as string,
      environment: 'Development',
    });
  });

  test("a function's lines are filtered by the levels of host.json; errors go to stderr", async () => {
    await call('/api/quiet');
    await call('/api/logs');
    await expect.poll(host.stdout).toContain('information: Function.logs.User: an ordinary line');
    await expect.poll(host.stderr).toContain('error: Function.logs.User: a bad line');
    expect(host.stdout()).not.toContain('a line below the level');
  });

  test('the functions are listed with their addresses, and what will not run is announced', async () => {
    await expect.poll(host.stdout).toContain(`\tbyId: [GET,POST] ${host.url}/api/items/{id:int}`);
    expect(host.stdout()).toContain('\tnightly: timerTrigger');
    await expect
      .poll(host.stderr)
      .toContain("warning: The embedded host does not serve serviceBusTrigger: 'unserved' will NOT run.");
  });
});

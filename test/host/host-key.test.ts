import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startHost, type TestHost } from './start-host.ts';

const Links = z.object({ answer: z.looseObject({ statusQueryGetUri: z.string() }) });

const KEY = 'key of the host';

let host: TestHost;
beforeAll(async () => {
  host = await startHost('durable', { AzureWebJobsStorage: 'memory', BATCHPOINT_HOST_KEY: KEY });
});
afterAll(() => host.stop());

const status = async (path: string, init: RequestInit = {}): Promise<number> =>
  (await fetch(`${host.url}${path}`, { redirect: 'manual', ...init })).status;

const DOORS = [
  ['GET', '/admin/functions', 200],
  ['GET', '/Admin/host/status', 200],
  ['GET', '/admin/host/nothing', 501],
  ['GET', '/runtime/webhooks/durabletask/instances', 200],
  ['GET', '/runtime/webhooks/durabletask/instances/none', 404],
  ['DELETE', '/runtime/webhooks/DurableTask/instances/none', 404],
  ['POST', '/runtime/webhooks/durabletask/instances/none/terminate', 404],
] as const;

describe('a host with a key', () => {
  test.each(DOORS)('%s %s needs it, as a header or in the query', async (method, path, expected) => {
    const answers = [
      await status(path, { method }),
      await status(`${path}?code=wrong`, { method }),
      await status(`${path}?code=${encodeURIComponent(KEY)}`, { method, headers: { 'x-functions-key': 'wrong' } }),
      await status(path, { method, headers: { 'x-functions-key': KEY } }),
      await status(`${path}?code=${encodeURIComponent(KEY)}`, { method }),
    ];
    expect(answers).toEqual([401, 401, 401, expected, expected]);
  });

  test('the address of the Durable client is not there without it', async () => {
    const answers = [
      await status('/durabletask/instances/none'),
      await status('/durabletask/wrong/instances/none'),
      await status('/durabletask'),
      await status(`/durabletask/${encodeURIComponent(KEY)}/instances/none`),
    ];
    expect(answers).toEqual([401, 401, 401, 404]);
  });

  test('serves its own Durable client, whose links have it', async () => {
    const call = async (operation: string, body = '{}'): Promise<unknown> =>
      (await fetch(`${host.url}/client/${operation}`, { method: 'POST', body })).json();
    expect(await call('start/chain', '{"instanceId":"keyed","input":{"key":"k","length":1}}')).toEqual({
      answer: 'keyed',
    });
    const { answer } = Links.parse(await call('links/keyed'));
    expect([200, 202]).toContain((await fetch(answer.statusQueryGetUri)).status);
    expect(await status(new URL(answer.statusQueryGetUri).pathname)).toBe(401);
  });

  test('tells nothing of itself in its headers', async () => {
    for (const path of ['/', '/admin/functions', '/api/none']) {
      const { headers } = await fetch(`${host.url}${path}`, { headers: { origin: 'https://evil.example' } });
      expect([...headers.keys()].filter((name) => /^(server|x-powered-by|access-control-)/.test(name))).toEqual([]);
    }
  });
});

import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { durableClient } from './durable-client.ts';
import { startHost, type TestHost } from './start-host.ts';

let azurite: Azurite;
let host: TestHost;
let durable: ReturnType<typeof durableClient>;

async function start(): Promise<void> {
  host = await startHost('entities', { AzureWebJobsStorage: azurite.connectionString });
  durable = durableClient(host.url);
}
beforeAll(async () => {
  azurite = await startAzurite();
  await start();
});
afterAll(async () => {
  await host.stop();
  await azurite.stop();
});

async function restart(): Promise<void> {
  const exit = once(host.process, 'exit');
  host.process.kill('SIGKILL');
  await exit;
  await start();
}

async function state(path: string): Promise<unknown> {
  const response = await fetch(`${host.url}/runtime/webhooks/durabletask/entities/${path}`);
  return response.status === 200 ? response.json() : response.status;
}

test('what entities were asked for before a kill is done after it, each once', async () => {
  const key = encodeURIComponent('a key/with ü');
  const ids = await Promise.all(
    Array.from({ length: 10 }, (_, n) => durable.start('signalAndEnd', { key: `o${n % 2}`, count: 6 })),
  );
  const accepted = await Promise.all([
    ...Array.from({ length: 40 }, (_, n) => durable.post(`entities/counter/${key}?op=add`, n)),
    ...Array.from({ length: 10 }, () => durable.post('entities/counter/from?op=pass', { to: 'to', amount: 2 })),
  ]);
  expect(accepted.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 202));
  await restart();
  await restart();
  for (const id of ids) expect(await durable.finished(id)).toMatchObject({ runtimeStatus: 'Completed' });
  const poll = (path: string) => expect.poll(() => state(path), { timeout: 25_000 });
  await poll(`counter/${key}`).toBe(780);
  await poll('counter/to').toBe(20);
  await poll('counter/total').toBe(20);
  await poll('counter/o0').toBe(30);
  await poll('counter/o1').toBe(30);
});

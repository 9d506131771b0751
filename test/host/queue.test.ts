import { setTimeout as pause } from 'node:timers/promises';
import { QueueServiceClient, type QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAzurite as startAzuriteAt } from '../../cli/azurite.ts';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { runsOf } from './runs.ts';
import { startHost, type TestHost } from './start-host.ts';

let azurite: Azurite;
let queues: QueueServiceClient;
let host: TestHost;

const settings = (): NodeJS.ProcessEnv => ({
  AzureWebJobsStorage: azurite.connectionString,
  TAKE_QUEUE: 'take-items',
  AzureWebJobsGarbage: 'AccountName=x;AccountKey',
  BATCHPOINT_HOST_MESSAGE_LEASE: '00:00:02',
  'AzureWebJobs.off.Disabled': 'true',
});
const wait = { timeout: 25_000, interval: 50 };

beforeAll(async () => {
  azurite = await startAzurite();
  queues = QueueServiceClient.fromConnectionString(azurite.connectionString);
  host = await startHost('triggers/queue', settings());
});
afterAll(async () => {
  await host.stop();
  await azurite.stop();
});

async function queueOf(name: string): Promise<QueueClient> {
  const queue = queues.getQueueClient(name);
  await queue.createIfNotExists();
  return queue;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function send(name: string, ...texts: string[]): Promise<void> {
  const queue = await queueOf(name);
  for (const text of texts) await queue.sendMessage(base64(text));
}

/** Every message of a queue, hidden ones too: their number by the queue's own count, the visible ones as text. */
async function contentOf(name: string): Promise<{ count: number; texts: string[] }> {
  const queue = await queueOf(name);
  const { approximateMessagesCount = 0 } = await queue.getProperties();
  const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 });
  return { count: approximateMessagesCount, texts: peekedMessageItems.map(({ messageText }) => messageText) };
}

const empty = { count: 0, texts: [] };

test('the queue is created, a message runs once with its metadata, JSON is parsed, and the message is gone', async () => {
  await expect.poll(async () => await queues.getQueueClient('take-items').exists(), wait).toBe(true);
  await send('take-items', '{"a":[1]}');
  await expect.poll(() => runsOf(host, 'take'), wait).toHaveLength(1);
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/) as string;
  expect(runsOf(host, 'take')).toEqual([
    {
      fn: 'take',
      message: { a: [1] },
      metadata: {
        queueTrigger: { a: [1] },
        id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        dequeueCount: 1,
        ...{ insertionTime: time, expirationTime: time, nextVisibleTime: time },
        popReceipt: expect.any(String) as string,
        sys: { methodName: 'take', utcNow: expect.any(String) as string, randGuid: expect.any(String) as string },
      },
    },
  ]);
  await expect.poll(() => contentOf('take-items'), wait).toEqual(empty);
});

test('text that is no JSON stays text, and numbers and words of JSON are parsed', async () => {
  const before = runsOf(host, 'take').length;
  await send('take-items', 'plain <text> ü', '5', 'true', '');
  await expect.poll(() => runsOf(host, 'take').length, wait).toBe(before + 4);
  const seen = runsOf(host, 'take').slice(before);
  expect(seen.map(({ message }) => message)).toEqual(expect.arrayContaining(['plain <text> ü', 5, true, '']));
});

test('each of 100 messages runs once', async () => {
  const texts = Array.from({ length: 100 }, (_, i) => `many-${String(i).padStart(3, '0')}`);
  await send('take-items', ...texts);
  const seen = (): unknown[] =>
    runsOf(host, 'take')
      .map(({ message }) => message)
      .filter((message) => String(message).startsWith('many-'));
  await expect.poll(() => seen().length, wait).toBeGreaterThanOrEqual(100);
  await expect.poll(() => contentOf('take-items'), wait).toEqual(empty);
  expect(seen().toSorted()).toEqual(texts);
});

test('a message that fails five times goes to the poison queue as it was', async () => {
  await send('failing', 'bad');
  await expect.poll(() => contentOf('failing-poison'), wait).toEqual({ count: 1, texts: [base64('bad')] });
  expect(runsOf(host, 'fails')).toEqual(
    [1, 2, 3, 4, 5].map((dequeueCount) => ({ fn: 'fails', message: 'bad', dequeueCount })),
  );
  await expect.poll(() => contentOf('failing'), wait).toEqual(empty);
  expect(host.stderr()).toMatch(/Message \S+ of the queue 'failing' has reached MaxDequeueCount of 5\. Moving it/);
});

test.each(['not base64!', 'abc', 'a=bc'])(
  '%s goes to the poison queue without a run, named in the log',
  async (text) => {
    const queue = await queueOf('take-items');
    await (await queueOf('take-items-poison')).clearMessages();
    const { messageId } = await queue.sendMessage(text);
    await expect.poll(() => contentOf('take-items-poison'), wait).toEqual({ count: 1, texts: [text] });
    expect(host.stderr()).toContain(`Message ${messageId} of the queue 'take-items' is not base64`);
    await expect.poll(() => contentOf('take-items'), wait).toEqual(empty);
  },
);

test('bytes that are no UTF-8 fail as often as any message before they are poison', async () => {
  const queue = await queueOf('take-items');
  await (await queueOf('take-items-poison')).clearMessages();
  const { messageId } = await queue.sendMessage('/w==');
  await expect.poll(() => contentOf('take-items-poison'), wait).toEqual({ count: 1, texts: ['/w=='] });
  const line = `warning: Message ${messageId} of the queue 'take-items' is no UTF-8 text.\n`;
  expect(host.stderr().split(line)).toHaveLength(5 + 1);
});

test('a poison queue has none of its own: what fails there comes back when its time is over', async () => {
  await send('graveyard-poison', 'dead');
  await expect
    .poll(() => runsOf(host, 'graveyard').slice(0, 2), wait)
    .toEqual([1, 2].map((dequeueCount) => ({ fn: 'graveyard', message: 'dead', dequeueCount })));
  await (await queueOf('graveyard-poison')).clearMessages();
  expect(await queues.getQueueClient('graveyard-poison-poison').exists()).toBe(false);
});

test('a message is held while its function runs longer than the message is hidden for', async () => {
  await send('slow', 'long');
  await expect.poll(() => contentOf('slow'), wait).toMatchObject({ count: 1 });
  await expect.poll(() => runsOf(host, 'slow'), wait).toContainEqual({ fn: 'slow', message: 'long', state: 'ended' });
  await expect.poll(() => contentOf('slow'), wait).toEqual(empty);
  expect(runsOf(host, 'slow')).toEqual([
    { fn: 'slow', message: 'long', state: 'begun', dequeueCount: 1 },
    { fn: 'slow', message: 'long', state: 'ended' },
  ]);
});

test('an array that is returned to a queue becomes one message for each item', async () => {
  const before = runsOf(host, 'take').length;
  await send('forward', JSON.stringify({ items: ['text', { x: 1 }, 7] }));
  await expect.poll(() => runsOf(host, 'take').length, wait).toBe(before + 3);
  const seen = runsOf(host, 'take').slice(before);
  expect(seen.map(({ message }) => message)).toEqual(expect.arrayContaining(['text', { x: 1 }, 7]));
});

test('functions that cannot be indexed and disabled ones are named; the others go on', () => {
  const stderr = host.stderr();
  expect(stderr).toContain("error: The 'unknownSetting' function is in error: %NO_SUCH_SETTING% does not resolve");
  expect(stderr).toContain("error: The 'unknownConnection' function is in error: Storage account connection string");
  expect(stderr).toContain('error: The \'badName\' function is in error: "a--b" is no queue name');
  expect(stderr).toContain("error: The 'badConnection' function is in error: The connection 'Garbage' is set to no");
  expect(stderr).toContain('warning: Function off is disabled.');
});

test('a disabled function leaves its queue alone', async () => {
  await send('off', 'stays');
  await send('take-items', 'after off');
  await expect.poll(() => runsOf(host, 'take').map(({ message }) => message), wait).toContain('after off');
  expect(runsOf(host, 'off')).toEqual([]);
  expect(await contentOf('off')).toEqual({ count: 1, texts: [base64('stays')] });
});

test('a stop lets go of what never ends, for the next host; what was taken too often is poison without a run', async () => {
  await host.stop();
  const stuck = await startHost('triggers/queue', {
    ...settings(),
    BATCHPOINT_HOST_MESSAGE_LEASE: '00:10:00',
    FIXTURE_STUCK: 'yes',
  });
  await send('stuck', 'held');
  await expect.poll(() => runsOf(stuck, 'stuck'), wait).toHaveLength(1);
  await stuck.stop();
  expect(stuck.stderr()).toContain("Messages of the queue 'stuck' still being handled at the stop: 1.");

  await send('failing', 'killer');
  const failing = await queueOf('failing');
  for (let time = 1; time <= 5; time++) await failing.receiveMessages({ visibilityTimeout: 1 }).then(() => pause(1100));

  host = await startHost('triggers/queue', settings());
  await expect.poll(() => runsOf(host, 'stuck'), wait).toEqual([{ fn: 'stuck', message: 'held', dequeueCount: 2 }]);
  const poison = [base64('bad'), base64('killer')];
  await expect.poll(() => contentOf('failing-poison'), wait).toEqual({ count: 2, texts: poison });
  expect(runsOf(host, 'fails')).toEqual([]);
});

test('a queue that cannot be reached is told of once, and once when it is back; then it is served again', async () => {
  const { blobPort, queuePort, tablePort } = azurite;
  await azurite.stop();
  const warning = "warning: The queue 'take-items' cannot be reached; this is tried until it can: ";
  await expect.poll(host.stderr, wait).toContain(warning);
  azurite = await startAzuriteAt({ ports: [blobPort, queuePort, tablePort] });
  await expect.poll(host.stdout, wait).toContain("The queue 'take-items' can be reached again.");
  const before = runsOf(host, 'take').length;
  await send('take-items', 'after the outage');
  await expect.poll(() => runsOf(host, 'take').length, wait).toBe(before + 1);
  expect(host.stderr().split(warning)).toHaveLength(2);
});

import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { runsOf } from './runs.ts';
import { startHost, startRefused, type TestHost } from './start-host.ts';

let azurite: Azurite;
let host: TestHost;
const wait = { timeout: 25_000, interval: 50 };
const timeout = 'AzureFunctionsJobHost__functionTimeout';
const settings = (value: string): NodeJS.ProcessEnv => ({
  ...{ AzureWebJobsStorage: azurite.connectionString, OUT_QUEUE: 'out-items', [timeout]: value },
});

beforeAll(async () => {
  azurite = await startAzurite();
  host = await startHost('triggers/bindings', settings('00:00:01'));
});
afterAll(async () => {
  await host.stop();
  await azurite.stop();
});

test('an HTTP function that takes too long is a 500, is named, and writes no output afterwards', async () => {
  expect((await fetch(`${host.url}/api/slow`)).status).toBe(500);
  const line = 'error: Timeout value of 00:00:01 was exceeded by function: Functions.slow. The real host restarts';
  expect(host.stderr()).toContain(line);
  await expect.poll(() => runsOf(host, 'slow'), wait).toEqual([{ fn: 'slow', state: 'ended' }]);
  const queues = QueueServiceClient.fromConnectionString(azurite.connectionString);
  expect(await queues.getQueueClient('out-items').exists()).toBe(false);
});

test('a message whose function takes too long counts as failed', async () => {
  const queues = QueueServiceClient.fromConnectionString(azurite.connectionString);
  await queues.getQueueClient('slow-message').createIfNotExists();
  await queues.getQueueClient('slow-message').sendMessage(Buffer.from('x').toString('base64'));
  await expect.poll(() => runsOf(host, 'slowMessage').length, wait).toBeGreaterThanOrEqual(2);
  expect(runsOf(host, 'slowMessage').slice(0, 2)).toEqual([
    { fn: 'slowMessage', dequeueCount: 1 },
    { fn: 'slowMessage', dequeueCount: 2 },
  ]);
});

test('"-1" lets a function take its time', async () => {
  const patient = await startHost('triggers/bindings', settings('-1'));
  expect((await fetch(`${patient.url}/api/slow`)).status).toBe(200);
  await patient.stop();
});

test.each(['00:00:00.500', '00:00:00', 'soon', '-2'])('%s is refused by name', async (value) => {
  const { code, stderr } = await startRefused('triggers/bindings', settings(value));
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('functionTimeout') as string });
});

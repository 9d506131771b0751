import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { startHost, type TestHost } from './start-host.ts';

let azurite: Azurite;
let blobs: BlobServiceClient;
let queues: QueueServiceClient;
let host: TestHost;
const wait = { timeout: 25_000, interval: 50 };

const start = (env: NodeJS.ProcessEnv = {}): Promise<TestHost> =>
  startHost('triggers/bindings', { AzureWebJobsStorage: azurite.connectionString, OUT_QUEUE: 'Out-Items', ...env });
const call = async (path: string): Promise<number> => (await fetch(`${host.url}/api/${path}`)).status;

beforeAll(async () => {
  azurite = await startAzurite();
  blobs = BlobServiceClient.fromConnectionString(azurite.connectionString);
  queues = QueueServiceClient.fromConnectionString(azurite.connectionString);
  host = await start();
});
afterAll(async () => {
  await host.stop();
  await azurite.stop();
});

/** Takes every message out of the output's queue; none when there is no queue. */
async function taken(): Promise<string[]> {
  const queue = queues.getQueueClient('out-items');
  if (!(await queue.exists())) return [];
  const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
  await Promise.all(receivedMessageItems.map((item) => queue.deleteMessage(item.messageId, item.popReceipt)));
  return receivedMessageItems.map(({ messageText }) => messageText);
}
const base64 = (content: string | Uint8Array): string => Buffer.from(content).toString('base64');

async function written(container: string): Promise<Record<string, Buffer>> {
  const client = blobs.getContainerClient(container);
  const found: Record<string, Buffer> = {};
  if (!(await client.exists())) return found;
  for await (const { name } of client.listBlobsFlat())
    found[name] = await client.getBlobClient(name).downloadToBuffer();
  return found;
}

describe('queue output', () => {
  test.each<[string, string[]]>([
    ['nothing', []],
    ['none', []],
    ['text', [base64('grüße')]],
    ['empty', [base64('')]],
    ['bytes', [base64(Buffer.from([0, 1, 255]))]],
    ['object', [base64('{"a":[1]}')]],
    ['array', [base64('one'), base64('{"two":2}')]],
    ['number', [base64('7')]],
  ])('%s', async (kind, expected) => {
    expect(await call(`queue/${kind}`)).toBe(202);
    expect(await taken()).toEqual(expected);
  });

  test('the encoding is that of host.json', async () => {
    const plain = await start({ AzureFunctionsJobHost__extensions__queues__messageEncoding: 'None' });
    await fetch(`${plain.url}/api/queue/array`);
    await plain.stop();
    expect(await taken()).toEqual(['one', '{"two":2}']);
  });
});

describe('blob output', () => {
  test.each([
    ['text', Buffer.from('grüße')],
    ['empty', Buffer.alloc(0)],
    ['bytes', Buffer.from([0, 1, 255])],
    ['object', Buffer.from('{"a":[1]}')],
    ['array', Buffer.from('["one",{"two":2}]')],
    ['number', Buffer.from('7')],
  ])('%s is written to the path with its tokens from route and query', async (kind, expected) => {
    expect(await call(`blob/${kind}?file=x`)).toBe(202);
    expect((await written('outbox'))[`${kind}/x.txt`]).toEqual(expected);
  });

  test('nothing is written for nothing', async () => {
    expect(await call('blob/nothing?file=x')).toBe(202);
    expect(await written('outbox')).not.toHaveProperty(['nothing/x.txt']);
  });

  test('a token without a value fails the function, by name', async () => {
    expect(await call('blob/text')).toBe(500);
    await expect.poll(host.stderr, wait).toContain("No value for named parameter 'file' in");
  });

  test('a message gives names to the path, nested ones too; guid and time are made', async () => {
    const queue = queues.getQueueClient('by-message');
    await queue.createIfNotExists();
    await queue.sendMessage(base64(JSON.stringify({ order: { id: 17, what: 'x' } })));
    await expect.poll(async () => Object.keys(await written('made')), wait).toHaveLength(1);
    const [[name = '', content] = []] = Object.entries(await written('made'));
    expect(name).toMatch(/^17\/\d{4}-[0-9a-f]{8}-[0-9a-f-]{27}\.json$/);
    expect(JSON.parse(String(content))).toEqual({ id: 17, what: 'x' });
  });
});

describe('blob input', () => {
  const read = async (name: string): Promise<unknown> => (await fetch(`${host.url}/api/read/${name}`)).json();

  test('a blob arrives as a Buffer, an absent one as nothing', async () => {
    expect(await read('absent')).toEqual({ isBuffer: false, text: null });
    await blobs.createContainer('notes');
    await blobs.getContainerClient('notes').getBlockBlobClient('a').uploadData(Buffer.from('{"x":1}'));
    expect(await read('a')).toEqual({ isBuffer: true, text: '{"x":1}' });
    expect(await read('absent')).toEqual({ isBuffer: false, text: null });
  });
});

test('a function with a binding that is not served is named and left out', async () => {
  expect(host.stderr()).toContain("error: The 'toTable' function is in error: the binding type 'table' (out) is not");
  expect(host.stderr()).toContain("error: The 'sdkClient' function is in error: its binding");
  expect(await call('toTable')).toBe(404);
});

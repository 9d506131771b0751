import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compilePath } from '../../local/triggers/path-template.ts';
import { startAzurite as startAzuriteAt } from '../../cli/azurite.ts';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { runsOf } from './runs.ts';
import { startHost, type TestHost } from './start-host.ts';

describe('blob paths', () => {
  test.each([
    ['box/{name}', 'a/b.csv', { name: 'a/b.csv' }],
    ['box/{folder}/{name}.{ext}', 'a/b/x.y.txt', { folder: 'a/b', name: 'x.y', ext: 'txt' }],
    ['box/{folder}/{name}.{ext}', 'x.txt', undefined],
    ['box/{a}-{b}', 'x-y-z', { a: 'x-y', b: 'z' }],
    ['box/{a}-{b}', '-', { a: '', b: '' }],
    ['box/day={day}/{name}', 'day=1/2/f', { day: '1/2', name: 'f' }],
    ['box/fixed.csv', 'fixed.csv', {}],
    ['box/fixed.csv', 'fixedXcsv', undefined],
    ['box/fixed.csv', 'Fixed.csv', undefined],
    ['box/{{{name}}}.csv', '{x}.csv', { name: 'x' }],
    ['box', 'any/thing', { name: 'any/thing' }],
    ['$web/{name}', 'index.html', { name: 'index.html' }],
  ])('%s on %s', (path, name, expected) => {
    expect(compilePath(path).match(name)).toEqual(expected);
  });

  test('what every match begins with is known, so that only that is listed', () => {
    expect(compilePath('box/a/b-{name}/c')).toMatchObject({ container: 'box', prefix: 'a/b-' });
    expect(compilePath('inbox')).toMatchObject({ container: 'inbox', prefix: '' });
  });

  test.each(['{c}/x', 'UPPER/{name}', 'box/', '', 'box/{a b}', 'box/{a', 'box/a}', '/box/{name}'])(
    '%j is refused',
    (path) => {
      expect(() => compilePath(path)).toThrow();
    },
  );
});

describe('blob triggers', () => {
  let azurite: Azurite;
  let blobs: BlobServiceClient;
  let queues: QueueServiceClient;
  let inbox: ContainerClient;
  let host: TestHost;
  const wait = { timeout: 25_000, interval: 50 };

  const start = (): Promise<TestHost> =>
    startHost('triggers/blob', {
      AzureWebJobsStorage: azurite.connectionString,
      AzureFunctionsWebHost__hostid: 'fixture',
      BATCHPOINT_HOST_BLOB_SCAN: '00:00:00.100',
      INBOX: 'inbox',
    });
  const put = (container: ContainerClient, name: string, text: string, metadata?: Record<string, string>) =>
    container.getBlockBlobClient(name).uploadData(Buffer.from(text), {
      blobHTTPHeaders: { blobContentType: 'text/csv' },
      ...(metadata && { metadata }),
    });
  const seen = () => runsOf(host, 'take').map(({ metadata, text }) => [nameIn(metadata), text]);
  const nameIn = (metadata: unknown): unknown => Reflect.get(Object(metadata), 'blobTrigger');

  async function receipts(functionName: string): Promise<string[]> {
    const hosts = blobs.getContainerClient('azure-webjobs-hosts');
    const prefix = `blobreceipts/fixture/Host.Functions.${functionName}/`;
    const names: string[] = [];
    for await (const { name } of hosts.listBlobsFlat({ prefix })) names.push(name.slice(prefix.length));
    return names;
  }

  beforeAll(async () => {
    azurite = await startAzurite();
    blobs = BlobServiceClient.fromConnectionString(azurite.connectionString);
    queues = QueueServiceClient.fromConnectionString(azurite.connectionString);
    inbox = blobs.getContainerClient('inbox');
    await inbox.create();
    await put(inbox, 'before/start.csv', 'old');
    await put(inbox, 'unmatched', 'never');
    host = await start();
  });
  afterAll(async () => {
    await host.stop();
    await azurite.stop();
  });

  test('a blob that was there before the first start fires, with its tokens and properties', async () => {
    await expect.poll(seen, wait).toEqual([['inbox/before/start.csv', 'old']]);
    const time = expect.stringMatching(/^\d{4}-.*\+00:00$/) as string;
    expect(runsOf(host, 'take')[0]).toEqual({
      ...{ fn: 'take', text: 'old', isBuffer: true },
      metadata: {
        ...{ folder: 'before', name: 'start', ext: 'csv', blobTrigger: 'inbox/before/start.csv', metadata: {} },
        uri: inbox.getBlobClient('before/start.csv').url,
        properties: {
          ...{ lastModified: time, createdOn: time, blobType: 0, contentLength: 3, contentType: 'text/csv' },
          ...{ contentEncoding: null, contentLanguage: null, contentDisposition: null, cacheControl: null },
          ...{ contentHash: expect.any(String) as string, eTag: expect.stringMatching(/^".+"$/) as string },
        },
        sys: { methodName: 'take', utcNow: expect.any(String) as string, randGuid: expect.any(String) as string },
      },
    });
  });

  test('its receipt lies where the real host looks for it', async () => {
    const { etag = '' } = await inbox.getBlobClient('before/start.csv').getProperties();
    await expect.poll(() => receipts('take'), wait).toEqual([`${etag}/inbox/before/start.csv`]);
  });

  test('a new blob fires with its metadata, an empty one with an empty Buffer, a new version again', async () => {
    await put(inbox, 'a/empty.csv', '', { owner: 'me' });
    await expect.poll(seen, wait).toContainEqual(['inbox/a/empty.csv', '']);
    expect(runsOf(host, 'take').at(-1)).toMatchObject({ isBuffer: true, metadata: { metadata: { owner: 'me' } } });
    await put(inbox, 'a/empty.csv', 'second');
    await expect.poll(seen, wait).toContainEqual(['inbox/a/empty.csv', 'second']);
  });

  test('a name that a URL must escape arrives as it is', async () => {
    const name = 'odd/ä %20#?&"=.csv';
    await put(inbox, name, 'odd');
    await expect.poll(seen, wait).toContainEqual([`inbox/${name}`, 'odd']);
    const { etag = '' } = await inbox.getBlobClient(name).getProperties();
    await expect.poll(() => receipts('take'), wait).toContain(`${etag}/inbox/${name}`);
  });

  test('each of 100 blobs fires once, also across a restart', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `many/${String(i).padStart(3, '0')}.csv`);
    await Promise.all(names.map((name) => put(inbox, name, name)));
    const many = () => seen().filter(([name]) => String(name).startsWith('inbox/many/'));
    await expect.poll(() => many().length, wait).toBeGreaterThanOrEqual(100);
    expect(
      many()
        .map(([name]) => name)
        .toSorted(),
    ).toEqual(names.map((name) => `inbox/${name}`));
    await expect.poll(async () => (await receipts('take')).length, wait).toBe(104);

    await host.stop();
    host = await start();
    await put(inbox, 'after/restart.csv', 'new');
    await expect.poll(seen, wait).toEqual([['inbox/after/restart.csv', 'new']]);
  });

  test('a blob whose function fails five times ends in the poison queue, with the text of the real host', async () => {
    const failing = blobs.getContainerClient('failing');
    await failing.create();
    await put(failing, 'bad', 'x');
    const poison = queues.getQueueClient('webjobs-blobtrigger-poison');
    await expect.poll(() => runsOf(host, 'fails'), wait).toHaveLength(5);
    await expect.poll(() => poison.exists(), wait).toBe(true);
    const texts = async () =>
      (await poison.peekMessages({ numberOfMessages: 32 })).peekedMessageItems.map(
        ({ messageText }) => JSON.parse(Buffer.from(messageText, 'base64').toString('utf8')) as unknown,
      );
    const { etag } = await failing.getBlobClient('bad').getProperties();
    const where = { BlobType: 'BlockBlob', ContainerName: 'failing', BlobName: 'bad', ETag: etag };
    await expect.poll(texts, wait).toEqual([{ Type: 'BlobTrigger', FunctionId: 'Host.Functions.fails', ...where }]);
    expect(runsOf(host, 'fails')).toEqual(Array.from({ length: 5 }, () => ({ fn: 'fails', name: 'bad' })));
  });

  test('a version that is replaced before its turn does not run; the new one does; a deleted one is dropped', async () => {
    const slow = blobs.getContainerClient('slow');
    await slow.create();
    await put(slow, 'first', '1');
    await expect.poll(() => runsOf(host, 'slow'), wait).toHaveLength(1);
    await Promise.all([put(slow, 'deleted', 'gone'), put(slow, 'replaced', 'old')]);
    await expect.poll(() => receipts('slow'), wait).toHaveLength(3);
    await Promise.all([slow.deleteBlob('deleted'), put(slow, 'replaced', 'new')]);
    await expect.poll(() => runsOf(host, 'slow'), wait).toHaveLength(2);
    expect(runsOf(host, 'slow')).toEqual([
      { fn: 'slow', name: 'first', text: '1' },
      { fn: 'slow', name: 'replaced', text: 'new' },
    ]);
  });

  test('a message that is none of a blob trigger goes to poison, one of an unknown function is dropped by name', async () => {
    const queue = queues.getQueueClient('azure-webjobs-blobtrigger-fixture');
    const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64');
    const { messageId } = await queue.sendMessage(base64({ Type: 'Other' }));
    await expect
      .poll(host.stderr, wait)
      .toContain(`Message ${messageId} of the queue '${queue.name}' is no message of`);
    const where = { BlobType: 'BlockBlob', ContainerName: 'inbox', BlobName: 'x', ETag: '"1"' };
    await queue.sendMessage(base64({ Type: 'BlobTrigger', FunctionId: 'Host.Functions.gone', ...where }));
    await expect.poll(host.stderr, wait).toContain("is for 'Host.Functions.gone', which is not served: dropped.");
  });

  test('a container that cannot be reached is told of once, and once when it is back; then its blobs fire', async () => {
    const { blobPort, queuePort, tablePort } = azurite;
    await azurite.stop();
    const what = "The container 'inbox' (blob trigger 'take') can";
    await expect.poll(host.stderr, wait).toContain(`warning: ${what}not be reached; this is tried until it can: `);
    azurite = await startAzuriteAt({ ports: [blobPort, queuePort, tablePort] });
    await expect.poll(host.stdout, wait).toContain(`${what} be reached again.`);
    await inbox.create();
    await put(inbox, 'after/outage.csv', 'back');
    await expect.poll(seen, wait).toContainEqual(['inbox/after/outage.csv', 'back']);
    expect(host.stderr().split(`${what}not be reached`)).toHaveLength(2);
  });

  test('what cannot be served is named', () => {
    expect(host.stderr()).toContain("The 'grid' function is in error: a blob trigger with the source EventGrid is not");
    expect(host.stderr()).toContain(`The 'badPath' function is in error: "{container}/{name}" does not begin with`);
  });
});

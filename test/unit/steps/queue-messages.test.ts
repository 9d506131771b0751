import { describe, expect, it } from 'vitest';
import { flushWatch } from '../../../shared/steps/flush-watch.ts';
import { invokeFromQueue } from '../../../shared/steps/invoke-from-queue.ts';
import { announceBlob } from '../../../shared/steps/announce-blob.ts';
import { recordBlobEvent } from '../../../shared/steps/record-blob-event.ts';
import { crashes } from '../../support/crashes.ts';
import { URL_OF_DATA, watchWorld } from '../../support/watch-world.ts';

const created = (data: unknown) => ({ eventType: 'Microsoft.Storage.BlobCreated', data });
const data = { api: 'PutBlob', url: `${URL_OF_DATA}in/a.csv`, eTag: '0x1' };

/** A world with a watch, and a crash plan that counts what is written from then on. */
async function quietWorld() {
  const counting = crashes();
  const world = await watchWorld(counting);
  await world.watch({ prefix: 'in' });
  counting.arm(Infinity, 'dies before');
  const refusals = () =>
    world.lines.filter(({ level }) => level === 'error').map(({ fields }) => `${String(fields['reason'])}`);
  return { world, counting, refusals };
}

describe('a message of blob-events', () => {
  it.each<[unknown, string]>([
    ['not json', 'The message is not a JSON object.'],
    ['', 'The message is not a JSON object.'],
    [5, 'The message is not a JSON object.'],
    [null, 'The message is not a JSON object.'],
    [undefined, 'The message is not a JSON object.'],
    [[created(data)], 'The message is not a JSON object.'],
    [{}, 'The message has neither an eventType nor a type: it is no event.'],
    [{ eventType: 5 }, 'eventType: must be of type string'],
    [created(undefined), 'data: is required'],
    [created({ ...data, url: undefined }), 'data.url: is required'],
    [created({ ...data, eTag: '' }), 'data.eTag: '],
    [created({ ...data, url: 'https://' }), 'is not a data URI'],
    [created({ ...data, url: `${URL_OF_DATA}in/%2e%2e/a.csv` }), "has a segment '.' or '..'"],
    [created({ ...data, url: `${URL_OF_DATA}in/%ZZ.csv` }), 'broken % escape'],
    [created({ ...data, url: `${URL_OF_DATA}in/a.csv?sig=secret` }), 'may not have a query'],
  ])('goes to poison as it came, with its reason: %j', async (message, reason) => {
    const { world, counting, refusals } = await quietWorld();
    await recordBlobEvent(world.deps, message);
    const text = typeof message === 'string' && message !== '' ? message : (JSON.stringify(message) ?? 'null');
    expect(world.queues.take('blob-events-poison')).toEqual([text]);
    expect(refusals()).toEqual([expect.stringContaining(reason)]);
    expect(JSON.stringify(world.lines)).not.toContain('secret');
    expect(counting.writes()).toBe(1);
  });

  it.each<[string, unknown]>([
    ['another account', created({ ...data, url: 'https://other.blob.core.windows.net/data/in/a.csv' })],
    ['another container', created({ ...data, url: 'https://account.blob.core.windows.net/more/in/a.csv' })],
    ['another folder', created({ ...data, url: `${URL_OF_DATA}out/a.csv` })],
    ['a blob that was deleted', { eventType: 'Microsoft.Storage.BlobDeleted', data }],
    ['a folder that was made', created({ ...data, api: 'CreateDirectory' })],
    ['something else', { type: 'com.example.order', data: {} }],
  ])('that tells of %s is dropped', async (_what, message) => {
    const { world, counting } = await quietWorld();
    await recordBlobEvent(world.deps, message);
    expect(counting.writes()).toBe(0);
    expect(world.lines.map(({ level, message: text }) => [level, text])).toEqual([
      ['debug', 'nobody watches this blob'],
    ]);
  });

  it.each<[string, unknown]>([
    ['Event Grid', { ...created(data), topic: '/t', subject: '/s', id: '1', dataVersion: '', metadataVersion: '1' }],
    ['CloudEvents', { specversion: '1.0', type: 'Microsoft.Storage.BlobCreated', source: '/s', id: '1', data }],
    [
      'Data Lake',
      created({ ...data, api: 'FlushWithClose', url: 'https://account.dfs.core.windows.net/data/in/a.csv' }),
    ],
    ['an ETag in quotes', created({ ...data, eTag: '"0x1"' })],
  ])('may come from %s', async (_what, message) => {
    const { world } = await quietWorld();
    await recordBlobEvent(world.deps, message);
    const folder = { endpoint: 'heart', deployment: 'blue', datastore: 'store', prefix: 'in/' };
    expect(await world.deps.events.waiting(folder, 9)).toEqual([{ blob: 'in/a.csv', etag: '"0x1"' }]);
  });
});

describe('a message of blob-flush', () => {
  it.each<[unknown, string]>([
    ['x', 'The message is not a JSON object.'],
    [{ endpoint: 'heart' }, 'deployment: is required (and 2 more)'],
  ])('that names no folder goes to poison: %j', async (message, reason) => {
    const { world, counting, refusals } = await quietWorld();
    await flushWatch(world.deps, message);
    expect(world.queues.take('blob-flush-poison')).toEqual([
      typeof message === 'string' ? message : JSON.stringify(message),
    ]);
    expect(refusals()).toEqual([expect.stringContaining(reason)]);
    expect(counting.writes()).toBe(1);
  });
});

describe('the inbox', () => {
  it('tells of a blob as Event Grid would, with the version that is there', async () => {
    const { world } = await quietWorld();
    const event = await world.upload('in/a b.csv', 'a');
    await announceBlob(world.deps, `${URL_OF_DATA}in/a%20b.csv`);
    const [text = ''] = world.queues.take('blob-events');
    expect(JSON.parse(text)).toEqual({
      eventType: 'Microsoft.Storage.BlobCreated',
      data: { api: 'PutBlob', url: `${URL_OF_DATA}in/a%20b.csv`, eTag: event.data.eTag },
    });
  });

  it('says nothing of a blob that is gone, and refuses one that lies in no datastore', async () => {
    const { world, counting } = await quietWorld();
    await announceBlob(world.deps, `${URL_OF_DATA}in/gone.csv`);
    await expect(announceBlob(world.deps, 'https://account.blob.core.windows.net/other/a.csv')).rejects.toThrow(
      'does not lie in a datastore',
    );
    expect(counting.writes()).toBe(0);
  });
});

describe('a message of the invoke queue', () => {
  const body = { properties: { inputData: { in: { jobInputType: 'UriFolder', uri: `${URL_OF_DATA}in` } } } };
  const message = { endpoint: 'heart', deployment: 'blue', body };
  const from = (sent: unknown, messageId = 'm-1') => ({ queue: 'invoke', message: sent, messageId });

  it('starts a job, once however often it is delivered', async () => {
    const { world } = await quietWorld();
    await world.upload('in/a.csv', 'a');
    await Promise.all([1, 2].map(() => invokeFromQueue(world.deps, from(message))));
    await invokeFromQueue(world.deps, from(message));
    expect(new Set(world.started).size).toBe(1);
    expect(await world.scored()).toEqual(['a.csv,0,a']);
    expect((await world.deps.jobs.spec(world.started[0] ?? ''))?.createdBy).toBe('batchpoint:queue');
  });

  it('may name its request: the same id in two messages is one job, another id another', async () => {
    const { world } = await quietWorld();
    await invokeFromQueue(world.deps, from({ ...message, requestId: 'night-1' }, 'm-1'));
    await invokeFromQueue(world.deps, from({ ...message, RequestId: 'night-1' }, 'm-2'));
    await invokeFromQueue(world.deps, from({ ...message, requestId: 'night-2' }, 'm-3'));
    expect(new Set(world.started).size).toBe(2);
  });

  it.each<[unknown, string]>([
    ['not json', 'The message is not a JSON object.'],
    [[], 'The message is not a JSON object.'],
    [{}, 'endpoint: is required (and 1 more)'],
    [{ ...message, endpoint: '' }, 'endpoint: '],
    [{ ...message, requestId: 'x'.repeat(257) }, 'requestId: must have at most 256 characters'],
    [{ ...message, body: { properties: {} } }, 'body.properties.inputData: is required'],
    [{ ...message, endpoint: 'nobody' }, "Endpoint 'nobody' does not exist."],
    [{ ...message, deployment: 'green' }, "Deployment 'green' does not exist in endpoint 'heart'."],
    [{ endpoint: 'heart', body }, 'No valid deployments to route to.'],
    [
      { ...message, body: { properties: { ...body.properties, properties: { 'batchpoint.watch': '{}' } } } },
      "'batchpoint.watch' is not known here.",
    ],
    [
      { ...message, body: { properties: { inputData: { in: { jobInputType: 'UriFile', uri: 'https://x.y/z' } } } } },
      'does not lie in a datastore',
    ],
    [
      {
        ...message,
        body: { properties: { inputData: { in: { jobInputType: 'UriFolder', uri: `${URL_OF_DATA}x` } } } },
      },
      "or not where this job may read: below a folder that its deployment declares ('batchpoint.inputs')",
    ],
  ])('that asks for no job goes to poison and changes nothing: %j', async (sent, reason) => {
    const { world, counting, refusals } = await quietWorld();
    await invokeFromQueue(world.deps, from(sent));
    expect(world.queues.take('invoke-poison')).toEqual([typeof sent === 'string' ? sent : JSON.stringify(sent)]);
    expect(refusals()).toEqual([expect.stringContaining(reason)]);
    expect(world.started).toEqual([]);
    expect(counting.writes()).toBe(1);
  });

  it('is left to the host when storage fails', async () => {
    const { world, counting } = await quietWorld();
    counting.arm(1, 'fails before');
    await expect(invokeFromQueue(world.deps, from(message))).rejects.toMatchObject({ name: 'StorageFault' });
    expect(world.queues.take('invoke-poison')).toEqual([]);
    await invokeFromQueue(world.deps, from(message));
    expect(world.started).toHaveLength(1);
  });
});

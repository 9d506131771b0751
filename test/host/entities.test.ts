import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { durableClient } from './durable-client.ts';
import { startHost, type TestHost } from './start-host.ts';

let host: TestHost;
let durable: ReturnType<typeof durableClient>;

beforeAll(async () => {
  host = await startHost('entities');
  durable = durableClient(host.url);
});
afterAll(() => host.stop());

const entities = (path: string, init?: RequestInit) =>
  fetch(`${host.url}/runtime/webhooks/durabletask/entities/${path}`, init);
const signal = (path: string, input?: unknown) => durable.post(`entities/${path}`, input);

async function state(path: string): Promise<{ code: number; state?: unknown }> {
  const response = await entities(path);
  if (response.status !== 200) return { code: response.status };
  const json: unknown = await response.json();
  return { code: 200, state: json };
}

const stateSoon = (path: string) => expect.poll(() => state(path));
const call = async (input: object) => (await durable.run('call', input)).output;

describe('an orchestrator that calls an entity', () => {
  test('gets the answers of its operations in order, and the entity keeps its state', async () => {
    const operations = [['add', 5], ['add', -2], ['get'], ['quiet'], ['get']];
    expect(await call({ key: 'called', operations })).toEqual([5, 3, 3, null, 4]);
    expect(await state('counter/called')).toEqual({ code: 200, state: 4 });
  });

  test('reaches it under a name in any case, and the key keeps its own', async () => {
    const self = { name: 'counter', key: 'MyKey', fresh: true };
    expect(await call({ name: 'COUNTER', key: 'MyKey', operations: [['self'], ['add', 1]] })).toEqual([self, 1]);
    expect(await state('cOuNtEr/MyKey')).toEqual({ code: 200, state: 1 });
    expect(await state('counter/mykey')).toEqual({ code: 404 });
  });

  test('catches what it throws, without its text as on the real host, and the state stays', async () => {
    expect(await call({ key: 'throws', operations: [['add', 1], ['fail'], ['get']] })).toEqual([
      1,
      { failed: '[object Object]' },
      1,
    ]);
  });

  test('of two keys changes one', async () => {
    expect(await call({ key: 'one', operations: [['add', 1]] })).toEqual([1]);
    expect(await call({ key: 'two', operations: [['add', 2]] })).toEqual([2]);
    expect(await state('counter/one')).toEqual({ code: 200, state: 1 });
  });

  test('may delete it, and begins anew', async () => {
    expect(await call({ key: 'gone', operations: [['add', 9], ['delete']] })).toEqual([9, null]);
    expect(await state('counter/gone')).toEqual({ code: 404 });
    expect(await call({ key: 'gone', operations: [['add', 1]] })).toEqual([1]);
  });

  test('keeps its ids beside signals, activities and retries in Task.all', async () => {
    const { output } = await durable.run('mixed', { key: 'mixed' });
    expect(output).toEqual([[101, { n: 1 }, 7], { n: 2 }, [{ n: 3 }, 1101]]);
  });

  test('shows what it sent and heard in its history', async () => {
    const { instanceId } = await durable.run('call', { key: 'history', operations: [['add', 2]] });
    const { status } = await durable.get(instanceId, '?showHistory=true&showHistoryOutput=true');
    const sent = status.historyEvents?.find(({ EventType }) => EventType === 'EventSent');
    const raised = status.historyEvents?.find(({ EventType }) => EventType === 'EventRaised');
    expect(sent).toMatchObject({ EventId: 0, InstanceId: '@counter@history', Name: 'op' });
    const request: unknown = JSON.parse(String(sent?.['Input']));
    expect(request).toEqual({
      ...{ op: 'add', input: '2', id: raised?.['Name'], parent: instanceId },
      parentExecution: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(raised?.['Input']).toBe('{"result":"2"}');
  });

  test.each([
    [
      'unknownEntity',
      "The function 'nobody' doesn't exist, is disabled, or is not an entity function. Additional info: The following are the known entity functions: 'Counter', 'listed', 'broken'.",
    ],
    ['locks', 'lock requires a Durable Functions extension that supports OOProc schema V4'],
  ])('fails with its reason: %s', async (name, text) => {
    expect(await durable.run(name)).toMatchObject({
      runtimeStatus: 'Failed',
      output: expect.stringContaining(text) as string,
    });
  });

  test('hears when the function as a whole has failed', async () => {
    expect(await call({ name: 'broken', key: 'k', operations: [['any']] })).toEqual([{ failed: 'never runs' }]);
  });
});

describe('an orchestrator that signals an entity and ends at once', () => {
  test.each([
    ['return', 'Completed', 1],
    ['throw', 'Failed', 1],
    ['return', 'Completed', 6000],
  ])('%s: %s, and %i signals have arrived', async (end, runtimeStatus, count) => {
    const key = `${end}-${count}`;
    expect(await durable.run('signalAndEnd', { key, count, end })).toMatchObject({ runtimeStatus });
    await stateSoon(`counter/${key}`).toEqual({ code: 200, state: count });
  });

  test('or begins anew: each execution has its own', async () => {
    expect(await durable.run('signalAndEnd', { key: 'again', count: 2, end: 'again' })).toMatchObject({
      output: 'done',
    });
    await stateSoon('counter/again').toEqual({ code: 200, state: 3 });
  });
});

describe('signals from outside', () => {
  test('100 at once are all applied, each once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => signal('counter/crowd?op=add', n)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    await stateSoon('counter/crowd').toEqual({ code: 200, state: 4950 });
    expect(await call({ key: 'crowd', operations: [['get']] })).toEqual([4950]);
  });

  test('an entity tells another, which does not exist yet, and one that adds up', async () => {
    await signal('counter/from?op=pass', { to: 'to', amount: 3 });
    await signal('counter/from?op=pass', { to: 'to', amount: 4 });
    await stateSoon('counter/to').toEqual({ code: 200, state: 7 });
    await stateSoon('counter/total').toEqual({ code: 200, state: 7 });
    expect(await state('counter/from')).toEqual({ code: 200, state: 4 });
  });

  test('an entity may tell itself', async () => {
    await signal('counter/total2?op=pass', { to: 'total2', amount: 5 });
    await stateSoon('counter/total2').toEqual({ code: 200, state: 10 });
  });

  test('one that fails changes nothing and holds up nobody', async () => {
    await signal('counter/bruised?op=fail');
    await signal('counter/bruised?op=add', 1);
    await stateSoon('counter/bruised').toEqual({ code: 200, state: 1 });
  });

  test('DELETE is the operation "delete"', async () => {
    await signal('counter/removed?op=add', 1);
    await stateSoon('counter/removed').toEqual({ code: 200, state: 1 });
    expect((await entities('counter/removed', { method: 'DELETE' })).status).toBe(202);
    await stateSoon('counter/removed').toEqual({ code: 404 });
  });

  test('to an entity that the app does not have, or with broken JSON, are refused', async () => {
    const unknown = await signal('nobody/k?op=add', 1);
    expect(unknown.status).toBe(400);
    expect(await unknown.json()).toEqual({
      Message: expect.stringContaining("'nobody' doesn't exist, is disabled, or is not an entity function") as string,
    });
    const headers = { 'content-type': 'application/json' };
    expect((await entities('counter/k?op=add', { method: 'POST', headers, body: '{oops' })).status).toBe(400);
    expect(await state('counter/k')).toEqual({ code: 404 });
  });

  test('the client library signals and reads', async () => {
    const via = async (operation: string, key: string, body: object): Promise<unknown> =>
      (await fetch(`${host.url}/client/${operation}/${key}`, { method: 'POST', body: JSON.stringify(body) })).json();
    expect(await via('read', 'library', {})).toEqual({ entityExists: false });
    await via('signal', 'library', { op: 'add', input: 2 });
    await expect.poll(() => via('read', 'library', {})).toEqual({ entityExists: true, entityState: 2 });
  });
});

describe('the list of entities', () => {
  const list = async (path: string): Promise<unknown> => (await entities(path)).json();
  const time = expect.stringMatching(/^\d{4}-.*Z$/) as string;
  const listed = (key: string, more: object = {}) => ({
    ...{ entityId: { name: 'listed', key }, lastOperationTime: time },
    ...more,
  });

  test('has those of a name that have a state, page by page', async () => {
    expect(await list('listed')).toEqual([]);
    for (const key of ['a', 'b', 'c']) await signal(`listed/${key}?op=set`, { key });
    await signal('listed/none?op=nothing');
    for (const key of ['a', 'b', 'c']) await stateSoon(`listed/${key}`).toEqual({ code: 200, state: { key } });
    expect(await list('Listed')).toEqual([listed('a'), listed('b'), listed('c')]);
    expect(await list('listed?fetchState=true')).toContainEqual(listed('b', { state: { key: 'b' } }));
    const first = await entities('listed?top=2');
    expect(await first.json()).toEqual([listed('a'), listed('b')]);
    const token = first.headers.get('x-ms-continuation-token') ?? '';
    const second = await entities('listed?top=2', { headers: { 'x-ms-continuation-token': token } });
    expect(await second.json()).toEqual([listed('c')]);
  });

  test('of all names, by the time of their last operation', async () => {
    await signal('listed/d?op=set', 1);
    await stateSoon('listed/d').toEqual({ code: 200, state: 1 });
    expect(await list('?top=1000')).toContainEqual(listed('d'));
    expect(await list('listed?lastOperationTimeTo=2000-01-01T00:00:00Z')).toEqual([]);
    expect(await list('listed?lastOperationTimeFrom=2000-01-01T00:00:00Z')).toContainEqual(listed('d'));
    expect((await entities('listed?lastOperationTimeFrom=never')).status).toBe(400);
    expect((await entities('', { headers: { 'x-ms-continuation-token': '{' } })).status).toBe(400);
  });
});

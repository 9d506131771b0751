import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newMessageId, type InstanceHead, type InstanceStore } from '../../local/durable/store.ts';
import { createTablesStore } from '../../local/durable/tables-store.ts';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { faultyTable, type FaultyTable } from '../support/faulty-table.ts';
import { freshTable, type TableClient } from '../support/raw-table.ts';
import { headOf, raised } from './instance-samples.ts';

let azurite: Azurite;
let table: TableClient;
let faulty: FaultyTable;
let store: InstanceStore;
let said: string[];

beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());
beforeEach(async () => {
  table = await freshTable(azurite);
  faulty = faultyTable(table);
  said = [];
  store = storeOn(faulty.client, 'this host');
});

function storeOn(client: TableClient, name: string): InstanceStore {
  return createTablesStore({
    ...{ client, owner: randomUUID() },
    onUnreadable: (error) => said.push(error.message),
    onOvertaken: () => said.push(`${name} is overtaken`),
  });
}

const running = (head: InstanceHead): InstanceHead => ({ ...head, status: 'Running' });
const many = (count: number, text: string) =>
  Array.from({ length: count }, (_, n) => raised(`${n}`, JSON.stringify(text)));

async function started(): Promise<InstanceHead> {
  const head = headOf();
  await store.create(head);
  return head;
}

describe('a lost answer', () => {
  test('of a commit: the repeated one counts, whatever it says, and messages are consumed once', async () => {
    const head = await started();
    const sent = { messageId: newMessageId(), event: { EventType: 15, Name: 'go', Input: null } } as const;
    await store.addMessage(head.instanceId, sent);
    faulty.fail('submitTransaction', 'after');
    const consumed = [sent.messageId];
    const lost = { head: running(head), newEvents: [...many(3, 'x'.repeat(300_000)), raised('go')], consumed };
    await expect(store.commit(lost)).rejects.toThrow('a connection broken after submitTransaction');
    await store.commit({ head: running(head), newEvents: [raised('go'), raised('second')], consumed });
    await store.commit({ head: running(head), newEvents: [raised('third')], consumed: [] });
    const history = [raised('go'), raised('second'), raised('third')];
    expect(await storeOn(table, 'reader').read(head.instanceId)).toEqual({
      head: running(head),
      history,
      messages: [],
    });
    expect(said).toEqual([]);
  });

  test('of a continueAsNew: the repeated one, under another execution, counts', async () => {
    const head = await started();
    await store.commit({ head: running(head), newEvents: [raised('1')], consumed: [] });
    faulty.fail('submitTransaction', 'after');
    const next = (executionId: string) => ({ head: { ...running(head), executionId }, newEvents: [], consumed: [] });
    await expect(store.commit(next('lost'))).rejects.toThrow();
    await store.commit(next('kept'));
    await store.commit({ ...next('kept'), newEvents: [raised('2')] });
    const kept = { ...running(head), executionId: 'kept' };
    expect(await store.read(head.instanceId)).toEqual({ head: kept, history: [raised('2')], messages: [] });
  });

  test('of a start: the instance is there, and its id is taken', async () => {
    const head = headOf();
    faulty.fail('createEntity', 'after');
    await expect(store.create(head)).rejects.toThrow();
    expect(await store.read(head.instanceId)).toEqual({ head, history: [], messages: [] });
    expect(await store.create({ ...head, executionId: 'e2' })).toEqual({ existing: 'Pending' });
    await store.commit({ head: running(head), newEvents: [raised('1')], consumed: [] });
    expect((await store.read(head.instanceId))?.history).toEqual([raised('1')]);
  });
});

describe('a host that dies in the middle', () => {
  test('of a commit of many transactions: readers see the state before it, and the next one counts', async () => {
    const head = await started();
    await store.commit({ head: running(head), newEvents: [raised('1')], consumed: [] });
    faulty.fail('submitTransaction', 'before', 2);
    const large = { ...running(head), customStatus: '"later"' };
    const commit = { head: large, newEvents: many(12, 'x'.repeat(300_000)), consumed: [] };
    await expect(store.commit(commit)).rejects.toThrow();
    const next = storeOn(table, 'next');
    expect(await next.read(head.instanceId)).toEqual({ head: running(head), history: [raised('1')], messages: [] });
    await next.commit({ head: running(head), newEvents: [raised('2')], consumed: [] });
    expect((await next.read(head.instanceId))?.history).toEqual([raised('1'), raised('2')]);
  });

  test('of a removal: the next one completes it', async () => {
    const head = await started();
    for (let n = 0; n < 110; n++)
      await store.commit({ head: running(head), newEvents: [raised(`${n}`)], consumed: [] });
    await store.commit({ head: { ...head, status: 'Failed' }, newEvents: [raised('last')], consumed: [] });
    faulty.fail('submitTransaction', 'before', 1);
    await expect(store.remove(head.instanceId)).rejects.toThrow();
    expect(await store.readHead(head.instanceId)).toMatchObject({ status: 'Failed' });
    expect(await store.remove(head.instanceId)).toBe(true);
    expect(await store.read(head.instanceId)).toBeUndefined();
  });
});

test('an instance that another host has gone on with is not written to, and the host hears of it', async () => {
  const head = await started();
  await store.commit({ head: running(head), newEvents: [raised('ours')], consumed: [] });
  await storeOn(table, 'the other').commit({ head: running(head), newEvents: [raised('theirs')], consumed: [] });
  const late = store.commit({ head: running(head), newEvents: [raised('late')], consumed: [] });
  await expect(late).rejects.toThrow(`Another host has gone on with the instance '${head.instanceId}'.`);
  expect(said).toEqual(['this host is overtaken']);
  expect((await storeOn(table, 'reader').read(head.instanceId))?.history).toEqual([raised('ours'), raised('theirs')]);
});

describe('what nobody can read', () => {
  const row = (head: InstanceHead, rowKey: string, text0: string) => ({ partitionKey: head.instanceId, rowKey, text0 });

  test('a head is told and left out of the list', async () => {
    const [broken, whole] = [await started(), await started()];
    await table.updateEntity(row(broken, 'i', '{"head":{"instanceId":3}}'), 'Merge');
    expect((await storeOn(table, 'reader').heads()).heads).toEqual([whole]);
    expect(said).toEqual([
      expect.stringContaining(`What is stored of the instance '${broken.instanceId}' cannot be read:`),
    ]);
  });

  test.each([
    ['text that is no JSON', '{"EventType":\n'],
    ['an event of an unknown kind', '{"EventType":99,"Timestamp":"2026-01-01T00:00:00.000Z"}\n'],
    ['an event that lacks a field', '{"EventType":5,"Timestamp":"2026-01-01T00:00:00.000Z"}\n'],
  ])('a history with %s', async (_name, text) => {
    const head = await started();
    await store.commit({ head: running(head), newEvents: [raised('1')], consumed: [] });
    await table.upsertEntity(row(head, 'h_00000000_00000000', text), 'Replace');
    await expect(store.read(head.instanceId)).rejects.toThrow(`the instance '${head.instanceId}' cannot be read:`);
  });

  test('a history that lacks a row', async () => {
    const head = await started();
    for (const name of ['1', '2']) await store.commit({ head: running(head), newEvents: [raised(name)], consumed: [] });
    await table.deleteEntity(head.instanceId, 'h_00000000_00000000');
    await expect(store.read(head.instanceId)).rejects.toThrow('the row h_00000000_00000000 is missing.');
  });

  test('a message that is none', async () => {
    const head = await started();
    await table.upsertEntity({ ...row(head, 'm_1', 'null'), parts: 0 }, 'Replace');
    await expect(store.read(head.instanceId)).rejects.toThrow(`the instance '${head.instanceId}' cannot be read:`);
  });
});

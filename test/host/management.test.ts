import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { durableClient } from './durable-client.ts';
import { startHost, type TestHost } from './start-host.ts';

let azurite: Azurite;
let host: TestHost;
let durable: ReturnType<typeof durableClient>;
beforeAll(async () => {
  azurite = await startAzurite();
  host = await startHost('durable', { AzureWebJobsStorage: azurite.connectionString });
  durable = durableClient(host.url);
});
afterAll(async () => {
  await host.stop();
  await azurite.stop();
});

const outcome = ({ runtimeStatus, output }: { runtimeStatus: string; output: unknown }) => ({ runtimeStatus, output });
const instances = (query: string, init: RequestInit = {}) => fetch(`${host.url}/durabletask/instances/${query}`, init);
const identified = z.object({ id: z.string() });

describe('rewind', () => {
  test('a failed instance goes on from its failed activities and its failed children', async () => {
    const failed = await durable.run('flakyFamily', { key: 'rewound' });
    expect(failed).toMatchObject({ runtimeStatus: 'Failed', output: expect.stringContaining('failed 1') as string });
    expect(await durable.viaLibrary('rewind', failed.instanceId)).toEqual({ answer: null });
    expect(outcome(await durable.finished(failed.instanceId))).toEqual({
      runtimeStatus: 'Completed',
      output: [{ first: 'rewound' }, 2, { n: 1 }, 2],
    });
    const { status } = await durable.get(failed.instanceId, '?showHistory=true');
    const kinds = status.historyEvents?.map(({ EventType }) => EventType) ?? [];
    expect(kinds.filter((kind) => /Failed|Generic/.test(kind))).toEqual(['GenericEvent']);
    expect(kinds.filter((kind) => kind === 'SubOrchestrationInstanceCreated')).toHaveLength(2);
  });

  test('a child that was terminated is started anew', async () => {
    const parent = await durable.start('waitsForChild', { child: 'rewound-child' });
    await durable.until(parent, ({ customStatus }) => customStatus !== null);
    expect((await durable.post('instances/rewound-child/terminate?reason=gone')).status).toBe(202);
    expect((await durable.finished(parent)).runtimeStatus).toBe('Failed');
    expect((await durable.post(`instances/${parent}/rewind?reason=again`)).status).toBe(202);
    await durable.until('rewound-child', ({ runtimeStatus }) => runtimeStatus === 'Running');
    for (const n of [1, 2]) await durable.post('instances/rewound-child/raiseEvent/go', n);
    expect(outcome(await durable.finished(parent))).toEqual({ runtimeStatus: 'Completed', output: [1, 2] });
  });

  test('an instance that had caught its failure replays differently, and fails as on the real host', async () => {
    const { instanceId } = await durable.run('exhaustedThenFails', { key: 'caught' });
    expect((await durable.post(`instances/${instanceId}/rewind?reason=again`)).status).toBe(202);
    await durable.until(instanceId, ({ output }) => typeof output === 'string' && output.includes('Non-Deterministic'));
  });

  test('is refused for what has not failed', async () => {
    const id = await durable.start('forever');
    expect((await durable.post(`instances/${id}/rewind?reason=r`)).status).toBe(412);
    await durable.post(`instances/${id}/terminate?reason=done`);
    await durable.finished(id);
    expect((await durable.post(`instances/${id}/rewind?reason=r`)).status).toBe(410);
    expect((await durable.post('instances/unknown/rewind?reason=r')).status).toBe(404);
  });
});

describe('restart', () => {
  test('runs the orchestrator again with its input, under a new id or the old one', async () => {
    const { instanceId } = await durable.run('fanOut', { count: 2 });
    const renamed = await durable.post(`instances/${instanceId}/restart`);
    expect(renamed.status).toBe(202);
    const { id } = identified.parse(await renamed.json());
    expect(id).not.toBe(instanceId);
    expect(await durable.finished(id)).toMatchObject({ name: 'fanOut', input: { count: 2 }, output: [0, 1] });
    const again = await durable.post(`instances/${instanceId}/restart?restartWithNewInstanceId=false`);
    expect(await again.json()).toMatchObject({ id: instanceId });
    expect(outcome(await durable.finished(instanceId))).toEqual({ runtimeStatus: 'Completed', output: [0, 1] });
  });

  test('is refused for an unknown instance, and under the id of a running one', async () => {
    expect((await durable.post('instances/unknown/restart')).status).toBe(400);
    const id = await durable.start('forever');
    expect((await durable.post(`instances/${id}/restart?restartWithNewInstanceId=false`)).status).toBe(409);
    await durable.post(`instances/${id}/terminate?reason=done`);
  });
});

describe('a start that waits for the end', () => {
  test('answers the output, the status of a failure, or the links when time is up', async () => {
    const ended = await durable.post('orchestrators/fanOut?timeout=10&pollingInterval=0.01', { count: 2 });
    expect([ended.status, await ended.json()]).toEqual([200, [0, 1]]);
    const failed = await durable.post('orchestrators/thrower?timeout=10&pollingInterval=0.01', {});
    expect([failed.status, await failed.json()]).toEqual([200, expect.objectContaining({ runtimeStatus: 'Failed' })]);
    const late = await durable.post('orchestrators/forever?timeout=0.05&pollingInterval=0.01', {});
    expect(late.status).toBe(202);
    const { id } = identified.parse(await late.json());
    expect((await durable.get(id)).status.runtimeStatus).toBe('Running');
    await durable.post(`instances/${id}/terminate?reason=done`);
  });

  test('wants a timeout that is not shorter than its interval, and waits only when both are given', async () => {
    expect((await durable.post('orchestrators/nothing?timeout=1&pollingInterval=2', {})).status).toBe(400);
    expect((await durable.post('orchestrators/nothing?timeout=1', {})).status).toBe(202);
    expect((await durable.post('orchestrators/nothing?timeout=soon&pollingInterval=1', {})).status).toBe(202);
  });
});

describe('the list of instances', () => {
  const row = z.object({ instanceId: z.string(), runtimeStatus: z.string(), input: z.unknown() });

  async function pages(query: string): Promise<string[][]> {
    const found: string[][] = [];
    let token: string | null = null;
    do {
      const response: Response = await instances(
        `?${query}`,
        token === null ? {} : { headers: { 'x-ms-continuation-token': token } },
      );
      found.push(
        z
          .array(row)
          .parse(await response.json())
          .map(({ instanceId }) => instanceId),
      );
      token = response.headers.get('x-ms-continuation-token');
    } while (token !== null);
    return found;
  }

  beforeAll(async () => {
    for (let n = 0; n < 5; n++) await durable.start('nothing', n, `listed-${n}`);
    for (let n = 0; n < 5; n++) await durable.finished(`listed-${n}`);
    await durable.start('forever', undefined, 'listed-running');
    await durable.until('listed-running', ({ runtimeStatus }) => runtimeStatus === 'Running');
  });

  test('comes in pages, whose tokens go both ways', async () => {
    const found = await pages('instanceIdPrefix=listed-&top=2');
    expect(found.every((page) => page.length <= 2)).toBe(true);
    expect(found.flat().sort()).toEqual([...Array.from({ length: 5 }, (_, n) => `listed-${n}`), 'listed-running']);
  });

  test('is filtered by statuses, ids and times', async () => {
    expect((await pages('instanceIdPrefix=listed-&runtimeStatus=Running,Pending')).flat()).toEqual(['listed-running']);
    expect((await pages('instanceIdPrefix=listed-&runtimeStatus=running&runtimeStatus=completed')).flat()).toHaveLength(
      6,
    );
    expect((await pages('instanceIdPrefix=listed-&createdTimeFrom=2999-01-01')).flat()).toEqual([]);
    expect((await pages('instanceIdPrefix=listed-&createdTimeTo=2000-01-01')).flat()).toEqual([]);
  });

  test('reaches the client library whole, also when it has more than one page', async () => {
    await Promise.all(Array.from({ length: 110 }, (_, n) => durable.start('nothing', n, `many-${n}`)));
    const listed = async (): Promise<string[]> => {
      const { answer } = z.object({ answer: z.array(row) }).parse(await durable.viaLibrary('list', 'Completed'));
      return answer.map(({ instanceId }) => instanceId).filter((id) => id.startsWith('many-'));
    };
    await expect.poll(async () => new Set(await listed()).size, { timeout: 25_000 }).toBe(110);
  });

  test.each([
    ['a token of another host', '?top=2', { headers: { 'x-ms-continuation-token': 'garbage' } }],
    ['a page size that is none', '?top=none', {}],
    ['a time that is none', '?createdTimeFrom=soon', {}],
  ])('%s is refused', async (_name, query, init) => {
    expect((await instances(query, init)).status).toBe(400);
  });

  test('purges by filter what has ended, over all pages, and nothing that runs', async () => {
    const query = '?createdTimeFrom=2000-01-01T00:00:00Z&instanceIdPrefix=listed-&top=2';
    const purged = await instances(query, { method: 'DELETE' });
    expect(await purged.json()).toEqual({ instancesDeleted: 5 });
    expect((await pages('instanceIdPrefix=listed-')).flat()).toEqual(['listed-running']);
    expect((await instances(query, { method: 'DELETE' })).status).toBe(404);
    await durable.post('instances/listed-running/terminate?reason=done');
  });
});

test('more events than one commit takes reach their orchestrator in order', async () => {
  const count = 300;
  const id = await durable.start('countsEvents', { count });
  await durable.post(`instances/${id}/suspend?reason=test`);
  for (let n = 0; n < count; n++) await durable.post(`instances/${id}/raiseEvent/go`, n);
  await durable.post(`instances/${id}/resume?reason=test`);
  expect((await durable.finished(id)).output).toEqual(Array.from({ length: count }, (_, n) => n));
});

test('inputs, outputs and events of megabytes', async () => {
  const text = 'x'.repeat(2_000_000);
  const id = await durable.start('events', { ms: 0, text });
  for (const mark of ['a', 'b'])
    expect((await durable.post(`instances/${id}/raiseEvent/go`, mark + text)).status).toBe(202);
  const status = await durable.finished(id);
  expect(status.output).toEqual([`a${text}`, `b${text}`]);
  expect(status.input).toEqual({ ms: 0, text });
});

test('with BATCHPOINT_STRICT_REPLAY=1 two replays that differ fail their instance, and others go on', async () => {
  const strict = await startHost('durable', { BATCHPOINT_STRICT_REPLAY: '1' });
  try {
    const client = durableClient(strict.url);
    expect(outcome(await client.run('fickle'))).toEqual({
      runtimeStatus: 'Failed',
      output: expect.stringMatching(
        /^Orchestrator function 'fickle' failed: Non-Deterministic workflow detected: two replays of one turn differ: .*echo.*typeOf/,
      ) as string,
    });
    expect(outcome(await client.run('retries', { key: 'strict' }))).toEqual({
      runtimeStatus: 'Completed',
      output: [3, { b: 2 }, { c: 3 }],
    });
  } finally {
    await strict.stop();
  }
});

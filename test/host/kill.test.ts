import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { rawTable } from '../support/raw-table.ts';
import { durableClient } from './durable-client.ts';
import { startHost, startRefused, type TestHost } from './start-host.ts';

// Each test starts several hosts.
vi.setConfig({ testTimeout: 90_000 });

let azurite: Azurite;
let folder: string;
let env: NodeJS.ProcessEnv;
let hubName: string;
let hosts: TestHost[] = [];
beforeAll(async () => {
  azurite = await startAzurite();
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-kill-'));
});
afterAll(async () => {
  await azurite.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  hubName = `hub${randomUUID().replaceAll('-', '')}`;
  env = {
    AzureWebJobsStorage: azurite.connectionString,
    AzureFunctionsJobHost__extensions__durableTask__hubName: hubName,
    FIXTURE_JOURNAL: join(folder, `${hubName}.txt`),
  };
});
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.stop()));
  hosts = [];
});

async function start(more: NodeJS.ProcessEnv = {}) {
  const host = await startHost('durable', { ...env, ...more });
  hosts.push(host);
  return { host, durable: durableClient(host.url) };
}

async function kill({ process }: TestHost): Promise<void> {
  const exit = once(process, 'exit');
  process.kill('SIGKILL');
  await exit;
}

/** What activities have written, over all hosts of this test. */
async function journal(): Promise<string[]> {
  try {
    return (await readFile(env['FIXTURE_JOURNAL'] ?? '', 'utf8')).split('\n').slice(0, -1);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function untilJournal(lines: number): Promise<void> {
  await expect
    .poll(async () => (await journal()).length, { interval: 5, timeout: 30_000 })
    .toBeGreaterThanOrEqual(lines);
}

const outcome = ({ runtimeStatus, output }: { runtimeStatus: string; output: unknown }) => ({ runtimeStatus, output });
const completed = (output: unknown) => ({ runtimeStatus: 'Completed', output });

describe('a host that is killed goes on where it was', () => {
  test('a fan-out of 300, killed three times while it runs', async () => {
    let { host, durable } = await start();
    const id = await durable.start('slowFan', { count: 300, ms: 40 });
    for (const lines of [100, 300, 500]) {
      await untilJournal(lines);
      await kill(host);
      ({ host, durable } = await start());
    }
    expect(outcome(await durable.finished(id))).toEqual(completed(300));
    const ended = (await journal()).filter((entry) => entry.startsWith('end'));
    expect(new Set(ended).size).toBe(300);
  });

  test('sub-orchestrations, killed while children end and their parent waits', async () => {
    let { host, durable } = await start();
    const id = await durable.start('slowFamily', { children: 12, count: 6, ms: 30 });
    for (const lines of [60, 120]) {
      await untilJournal(lines);
      await kill(host);
      ({ host, durable } = await start());
    }
    expect(outcome(await durable.finished(id))).toEqual(completed(72));
  });

  test('loops of continueAsNew', async () => {
    let { host, durable } = await start();
    const ids: string[] = [];
    for (let n = 0; n < 2; n++) {
      ids.push(await durable.start('lanes'));
      ids.push(await durable.start('lanes'));
      await kill(host);
      ({ host, durable } = await start());
    }
    const lanes = [
      [10, true],
      [60, true],
      [110, true],
    ];
    for (const id of ids) expect(outcome(await durable.finished(id))).toEqual(completed(lanes));
  });

  test('what was accepted with 202 has happened, and what had ended is as it was', async () => {
    const first = await start();
    const post = async (path: string, body?: unknown): Promise<void> => {
      expect((await first.durable.post(`instances/${path}`, body)).status).toBe(202);
    };
    const { instanceId: finished } = await first.durable.run('fanOut', { count: 3 });
    const whole = async ({ durable }: typeof first) =>
      (await durable.get(finished, '?showHistory=true&showHistoryOutput=true')).status;
    const before = await whole(first);
    await first.durable.start('events', { ms: 0 }, 'told');
    await first.durable.start('events', { ms: 0 }, 'suspended');
    await first.durable.start('forever', undefined, 'stopped');
    await first.durable.start('timer', undefined, 'timed');
    await post('suspended/suspend?reason=test');
    await first.durable.until('suspended', ({ runtimeStatus }) => runtimeStatus === 'Suspended');
    await post('suspended/raiseEvent/go', 'a');
    await post('told/raiseEvent/go', 1);
    await post('told/raiseEvent/go', { n: 2 });
    await post('stopped/terminate?reason=enough');
    await first.durable.start('fanOut', { count: 2 }, 'started');
    await kill(first.host);

    const second = await start();
    const { durable } = second;
    expect(await whole(second)).toEqual(before);
    expect(outcome(await durable.finished('told'))).toEqual(completed([1, { n: 2 }]));
    expect(outcome(await durable.finished('stopped'))).toEqual({ runtimeStatus: 'Terminated', output: 'enough' });
    expect(outcome(await durable.finished('timed'))).toEqual(completed(true));
    expect(outcome(await durable.finished('started'))).toEqual(completed([0, 1]));
    expect((await durable.get('suspended')).status.runtimeStatus).toBe('Suspended');
    await durable.post('instances/suspended/raiseEvent/go', 'b');
    await durable.post('instances/suspended/resume?reason=test');
    expect(outcome(await durable.finished('suspended'))).toEqual(completed(['a', 'b']));
  });
});

test('an instance whose history cannot be read is named and left alone, and the others go on', async () => {
  const first = await start();
  for (const id of ['broken', 'whole', 'headless']) await first.durable.start('events', { ms: 0 }, id);
  for (const id of ['broken', 'whole', 'headless']) {
    await expect
      .poll(async () => (await first.durable.get(id, '?showHistory=true')).status.historyEvents)
      .toContainEqual(expect.objectContaining({ EventType: 'TaskCompleted' }));
  }
  await kill(first.host);
  const table = rawTable(azurite, `${hubName}Embedded`);
  const damaged = { partitionKey: 'broken', rowKey: 'h_00000000_00000001', text0: '{"EventType":5,"Tas\n' };
  await table.upsertEntity(damaged, 'Replace');
  await table.updateEntity({ partitionKey: 'headless', rowKey: 'i', text0: '{' }, 'Merge');

  const { host, durable } = await start();
  for (const n of [1, 2]) await durable.post('instances/whole/raiseEvent/go', n);
  expect(outcome(await durable.finished('whole'))).toEqual(completed([1, 2]));
  await expect.poll(() => host.stderr()).toContain("What is stored of the instance 'broken' cannot be read:");
  expect(host.stderr()).toContain("What is stored of the instance 'headless' cannot be read:");
  expect((await durable.get('broken')).status.runtimeStatus).toBe('Running');
  expect((await durable.post('instances/broken/raiseEvent/go', 1)).status).toBe(202);
  expect(await table.getEntity('broken', damaged.rowKey)).toMatchObject(damaged);
});

describe('the storage of the host', () => {
  test('a second host takes the hub over, and the first one stops and says so', async () => {
    const first = await start();
    expect(first.host.stdout()).toContain(
      `Durable instances are kept in the table '${hubName}Embedded' of 127.0.0.1:${azurite.tablePort}.\n`,
    );
    await first.durable.start('events', { ms: 0 }, 'shared');
    const exit = once(first.host.process, 'exit');
    const { durable } = await start();
    expect(await exit).toEqual([1, null]);
    expect(first.host.stderr()).toContain(`Another host has taken over the task hub '${hubName}' on this storage`);
    for (const n of [1, 2]) await durable.post('instances/shared/raiseEvent/go', n);
    expect(outcome(await durable.finished('shared'))).toEqual(completed([1, 2]));
  });

  test('a host without one says that nothing survives', async () => {
    const [unset, inMemory] = await Promise.all([
      start({ AzureWebJobsStorage: '' }),
      start({ AzureWebJobsStorage: 'memory' }),
    ]);
    const line =
      "Durable instances are kept in memory (AzureWebJobsStorage is not set or 'memory'): none survives a restart.\n";
    for (const { host } of [unset, inMemory]) expect(host.stdout()).toContain(line);
  });

  test.each([
    [
      'cannot be reached',
      (storage: string) => ({ AzureWebJobsStorage: storage.replace(`:${azurite.tablePort}/`, ':1/') }),
      /^The storage of AzureWebJobsStorage, .*, cannot be used \(ECONNREFUSED\)\. Start Azurite \('npm start' does\)/,
    ],
    [
      'has no such hub',
      () => ({ AzureFunctionsJobHost__extensions__durableTask__hubName: 'my-hub' }),
      /^The task hub name 'my-hub' \(hubName in host\.json\) must have 3 to 45 letters and digits/,
    ],
  ])('one that %s ends the start with one line', async (_name, more, line) => {
    const { code, stderr } = await startRefused('durable', { ...env, ...more(azurite.connectionString) });
    expect(code).toBe(1);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

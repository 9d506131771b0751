import { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { durableOrchestrations } from '../../functions/durable-orchestrations.ts';
import { clientBinding } from '../../local/durable/links.ts';
import { durableClient } from './durable-client.ts';
import { startHost, type TestHost } from './start-host.ts';

let host: TestHost;
let durable: ReturnType<typeof durableClient>;
let jobs: ReturnType<typeof durableOrchestrations>;

beforeAll(async () => {
  host = await startHost('jobs');
  durable = durableClient(host.url);
  const input = df.input.durableClient();
  const context = new InvocationContext({ options: { extraInputs: [input] } });
  context.extraInputs.set(input, JSON.parse(clientBinding({ origin: host.url, rpcOrigin: host.url, hubName: 'jobs' })));
  const client = df.getClient(context);
  jobs = durableOrchestrations(() => client);
});
afterAll(() => host.stop());

const Instance = z.object({
  name: z.string(),
  input: z.object({ job: z.string(), generation: z.number().optional() }),
  runtimeStatus: z.string(),
});

/** States of a job's lanes, by their instances. */
async function lanes(): Promise<{ job: string; generation?: number | undefined; status: string }[]> {
  const response = await fetch(`${host.url}/runtime/webhooks/durabletask/instances`);
  return z
    .array(Instance)
    .parse(await response.json())
    .filter(({ name }) => name === 'scoreLane')
    .map(({ input, runtimeStatus }) => ({ ...input, status: runtimeStatus }));
}

const lanesOf = async (job: string, generation?: number): Promise<string[]> =>
  (await lanes()).filter((lane) => lane.job === job && lane.generation === generation).map(({ status }) => status);

describe("a job's orchestration", () => {
  test('is absent, active, suspended, failed or ended', async () => {
    expect(await jobs.state('states')).toBe('absent');
    await jobs.start('states');
    await durable.until('states', ({ runtimeStatus }) => runtimeStatus === 'Running');
    expect(await jobs.state('states')).toBe('active');
    await durable.post('instances/states/suspend?reason=wait');
    await durable.until('states', ({ runtimeStatus }) => runtimeStatus === 'Suspended');
    expect(await jobs.state('states')).toBe('suspended');
    for (const [job, state] of [
      ['fails', 'failed'],
      ['ends', 'ended'],
    ] as const) {
      await jobs.start(job);
      await durable.finished(job);
      expect(await jobs.state(job)).toBe(state);
    }
  });

  test('is started once; a later generation has an instance of its own, and is told which it is', async () => {
    await jobs.start('twice');
    await durable.until('twice', ({ runtimeStatus }) => runtimeStatus === 'Running');
    const { status: first } = await durable.get('twice');
    await jobs.start('twice');
    expect((await durable.get('twice')).status.input).toEqual(first.input);
    expect(first.input).toEqual({ job: 'twice', execution: expect.any(String) as string });
    expect(await jobs.state('twice', 2)).toBe('absent');
    await jobs.start('twice', 2);
    expect(await jobs.state('twice', 2)).toBe('active');
    expect((await durable.get('twice-2')).status.input).toMatchObject({ job: 'twice', generation: 2 });
  });

  test('is terminated with its lanes, and nothing else is', async () => {
    for (const [job, generation] of [
      ['old', 1],
      ['old', 2],
      ['other', 1],
    ] as const)
      await jobs.start(job, generation);
    await expect.poll(async () => (await lanes()).filter(({ job }) => job === 'old' || job === 'other').length).toBe(6);
    await jobs.terminate('old', 1);
    await durable.finished('old');
    await expect.poll(() => lanesOf('old')).toEqual(['Terminated', 'Terminated']);
    expect(await lanesOf('old', 2)).toEqual(['Running', 'Running']);
    expect(await lanesOf('other')).toEqual(['Running', 'Running']);
    expect([await jobs.state('old'), await jobs.state('old', 2)]).toEqual(['ended', 'active']);
    await jobs.terminate('old', 1);
    await jobs.terminate('nobody', 1);
  });

  test('leaves no history once it has ended and is purged', async () => {
    await jobs.start('ends', 3);
    await durable.finished('ends-3');
    await jobs.start('stays');
    expect(await jobs.purge(new Date('2020-01-02T00:00:00.000Z'))).toBe(0);
    expect(await jobs.purge(new Date(Date.now() + 60_000))).toBeGreaterThan(0);
    expect([await jobs.state('ends', 3), await jobs.state('stays')]).toEqual(['absent', 'active']);
  });
});

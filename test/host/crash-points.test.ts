import { expect, test } from 'vitest';
import { chaosFrom } from '../../local/durable/chaos.ts';
import { createEngine, type DurableEngine } from '../../local/durable/engine.ts';
import { createMemoryStore } from '../../local/durable/memory-store.ts';
import { isFinished, type InstanceStore, type RuntimeStatus } from '../../local/durable/store.ts';
import { createLog } from '../../local/log.ts';
import { Death, dyingStore, type DeathMoment } from './dying-store.ts';
import { loadFunctions } from './orchestrations.ts';

const quiet = { ...createLog({ default: 'none' }, false), error: () => undefined, warn: () => undefined };

// In this process: its host can then be made to die between any two writes.
const fixture = new URL('./apps/durable/functions/app.js', import.meta.url).href;
const runner = await loadFunctions(() => import(fixture));

function engineOn(store: InstanceStore): DurableEngine {
  const limits = { maxConcurrentActivities: 8, maxConcurrentOrchestrators: 8, defaultVersion: '7' };
  return createEngine({ store, runner, log: quiet, chaos: chaosFrom({}), ...limits });
}

interface Scenario {
  readonly name: string;
  readonly input?: unknown;
  /** What a client does after the start, one by one. */
  readonly sends?: readonly Parameters<DurableEngine['send']>[1][];
  readonly output: unknown;
}

const go = (value: number) => ({ EventType: 15, Name: 'go', Input: String(value) }) as const;
const scenarios: readonly Scenario[] = [
  { name: 'fanOut', input: { count: 5 }, output: [0, 1, 2, 3, 4] },
  { name: 'chain', input: { key: 'crash', length: 4 }, output: 4 },
  { name: 'slowFamily', input: { children: 3, count: 2, ms: 1 }, output: 6 },
  {
    name: 'lanes',
    output: [
      [10, true],
      [60, true],
      [110, true],
    ],
  },
  { name: 'timer', output: true },
  {
    name: 'parentOf',
    input: { name: 'thrower' },
    output: { failed: expect.stringContaining('final words') as string },
  },
  { name: 'events', input: { ms: 1 }, sends: [go(1), go(2)], output: [1, 2] },
  {
    name: 'events',
    input: { ms: 0 },
    sends: [{ EventType: 19, Reason: 'wait' }, go(1), { EventType: 20, Reason: 'go on' }, go(2)],
    output: [1, 2],
  },
  { name: 'forever', sends: [{ EventType: 3, Input: '"stopped"' }], output: 'stopped' },
];

/** Runs a scenario whose host dies at a write and is started again. False when it ended before that write. */
async function runWithDeath(scenario: Scenario, deathAt: number, moment: DeathMoment): Promise<boolean> {
  const store = createMemoryStore();
  const died = Promise.withResolvers<void>();
  let isDead = false;
  let engine = engineOn(
    dyingStore(store, deathAt, moment, () => {
      isDead = true;
      engine.stop();
      died.resolve();
    }),
  );
  /** A client whose request was cut off asks again unless it was carried out. */
  const insist = async (request: () => Promise<unknown>): Promise<void> => {
    const wasAlive = !isDead;
    try {
      await request();
    } catch (error) {
      if (!(error instanceof Death)) throw error;
      await restart();
      if (!wasAlive || moment === 'before') await request();
    }
  };
  let restarted: Promise<void> | undefined;
  const restart = (): Promise<void> =>
    (restarted ??= (async () => {
      engine = engineOn(store);
      await engine.recover();
    })());
  void died.promise.then(restart);

  const { name, input, sends = [] } = scenario;
  const request = { name, instanceId: 'i', input: input === undefined ? null : JSON.stringify(input) };
  await insist(() => engine.start(request));
  for (const event of sends) await insist(() => engine.send('i', event));
  await expect
    .poll(async () => (await store.readHead('i'))?.status, { interval: 2, timeout: 25_000 })
    .toSatisfy((status?: RuntimeStatus) => status !== undefined && isFinished(status));
  engine.stop();
  const head = await store.readHead('i');
  expect({ moment, deathAt, output: JSON.parse(head?.output ?? 'null') as unknown }).toEqual({
    moment,
    deathAt,
    output: scenario.output,
  });
  expect((await store.read('i'))?.messages).toEqual([]);
  return isDead;
}

test.each(scenarios)('$name $input: whichever write the host dies at, the end is the same', async (scenario) => {
  for (const moment of ['before', 'after'] as const) {
    let deaths = 0;
    while (await runWithDeath(scenario, deaths + 1, moment)) deaths += 1;
    expect(deaths).toBeGreaterThan(1);
  }
});

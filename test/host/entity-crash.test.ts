import { expect, test } from 'vitest';
import { chaosFrom } from '../../local/durable/chaos.ts';
import { createEngine, type DurableEngine } from '../../local/durable/engine.ts';
import { memoryOf } from '../../local/durable/entity-memory.ts';
import { createMemoryStore } from '../../local/durable/memory-store.ts';
import type { InstanceStore } from '../../local/durable/store.ts';
import { createLog } from '../../local/log.ts';
import { dyingStore, type DeathMoment } from './dying-store.ts';
import { loadFunctions } from './orchestrations.ts';

const quiet = { ...createLog({ default: 'none' }, false), error: () => undefined, warn: () => undefined };

const fixture = new URL('./apps/entities/functions/app.js', import.meta.url).href;
const runner = await loadFunctions(() => import(fixture));

function engineOn(store: InstanceStore): DurableEngine {
  const limits = { maxConcurrentActivities: 8, maxConcurrentOrchestrators: 8, defaultVersion: '7' };
  return createEngine({ store, runner, log: quiet, chaos: chaosFrom({}), ...limits });
}

/** Status and output of the orchestration, state of each entity, and how many messages still lie anywhere. */
async function outcomeOn(store: InstanceStore) {
  const entities: Record<string, unknown> = {};
  let waiting = 0;
  for (const { instanceId } of (await store.heads()).heads) {
    const stored = await store.read(instanceId);
    if (stored === undefined) continue;
    waiting += stored.messages.length;
    if (!instanceId.startsWith('@')) continue;
    const { state, outbox } = memoryOf(stored.head);
    entities[instanceId] = state;
    waiting += outbox.answers.length + outbox.signals.length;
  }
  const head = await store.readHead('i');
  return { status: head?.status, output: head?.output, entities, waiting };
}

const scenarios = [
  {
    name: 'mixed',
    input: { key: 'm' },
    output: '[[101,{"n":1},7],{"n":2},[{"n":3},1101]]',
    entities: { '@counter@m': '1101', '@counter@m-other': '7' },
  },
  { name: 'signalAndEnd', input: { key: 's', count: 3 }, output: '"done"', entities: { '@counter@s': '3' } },
  {
    name: 'signalAndEnd',
    input: { key: 'a', count: 2, end: 'again' },
    output: '"done"',
    entities: { '@counter@a': '3' },
  },
  {
    name: 'call',
    input: { key: 'c', operations: [['pass', { to: 'd', amount: 5 }], ['get']] },
    output: '[null,5]',
    entities: { '@counter@c': '5', '@counter@d': '5', '@counter@total': '5' },
  },
];

/** Runs a scenario whose host dies at a write and is started again. False when it ended before that write. */
async function runWithDeath(scenario: (typeof scenarios)[number], deathAt: number, moment: DeathMoment) {
  const store = createMemoryStore();
  const died = Promise.withResolvers<boolean>();
  const first = engineOn(dyingStore(store, deathAt, moment, () => died.resolve(true)));
  const { name, input, output, entities } = scenario;
  await first.start({ name, instanceId: 'i', input: JSON.stringify(input) });
  const done = { status: 'Completed', output, entities, waiting: 0 };
  const end = expect.poll(() => outcomeOn(store), { interval: 2, timeout: 25_000 }).toEqual(done);
  const hasDied = await Promise.race([died.promise, end.then(() => false)]);
  first.stop();
  if (!hasDied) return false;
  const second = engineOn(store);
  await second.recover();
  await end;
  second.stop();
  return true;
}

test.each(scenarios)('$name $input: whichever write the host dies at, all is applied once', async (scenario) => {
  for (const moment of ['before', 'after'] as const) {
    // The first write stores the start: a client that gets no answer starts again.
    let deathAt = 2;
    while (await runWithDeath(scenario, deathAt, moment)) deathAt += 1;
    expect(deathAt).toBeGreaterThan(5);
  }
});

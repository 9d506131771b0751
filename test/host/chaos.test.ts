import { expect, test } from 'vitest';
import { durableClient } from './durable-client.ts';
import { startHost } from './start-host.ts';

test.each([
  { gate: 'BATCHPOINT_CHAOS_DUPLICATE', value: '1' },
  { gate: 'BATCHPOINT_CHAOS_GHOST', value: '1' },
])('with $gate each activity runs more than once and each answer counts once', async ({ gate, value }) => {
  const host = await startHost('durable', { [gate]: value });
  try {
    const durable = durableClient(host.url);
    expect((await durable.run('chain', { key: 'k', length: 8 })).output).toBe(8);
    expect((await durable.run('lanes')).output).toHaveLength(3);
    const runs = (await durable.journal()).filter((entry) => entry === 'draw k-3');
    expect(runs).toHaveLength(2);
  } finally {
    await host.stop();
  }
});

test('both gates together leave the order of a chain right, and one seed gives one sequence of faults', async () => {
  const gates = { BATCHPOINT_CHAOS_DUPLICATE: '0.5', BATCHPOINT_CHAOS_GHOST: '0.5', BATCHPOINT_CHAOS_SEED: '42' };
  const host = await startHost('durable', gates);
  try {
    const durable = durableClient(host.url);
    expect((await durable.run('chain', { key: 'both', length: 30 })).output).toBe(30);
    const { output } = await durable.run('fanOut', { count: 40 });
    expect(output).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect((await durable.journal()).length).toBeGreaterThan(30);
  } finally {
    await host.stop();
  }
});

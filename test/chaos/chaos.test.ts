import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { FAULTS } from '../support/fault-proxy.ts';
import { mortalApp, type MortalApp, type MortalOptions } from './mortal-app.ts';
import { seeded } from './seeded.ts';
import { invoke, outcome, prepare, type Way } from './three-hundred.ts';

/** `CHAOS=short` is the run of CI; CHAOS_SEED repeats one. */
const short = process.env['CHAOS'] === 'short';
const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 100_000);
const LIMIT_MS = short ? 240_000 : 900_000;

let mortal: MortalApp | undefined;
afterEach(async () => {
  await mortal?.stop();
  mortal = undefined;
});

const WAYS = ['files', 'records'] as const;
const wayOf = (round: number): Way => WAYS[round % 2] ?? 'files';

/** An app with the inputs in place, the bytes of undisturbed jobs, and how long the last of them took. */
async function begin(
  options: Omit<MortalOptions, 'seed'> = {},
): Promise<{ world: MortalApp; calm: Readonly<Record<Way, string>>; ms: number }> {
  const world = await mortalApp({ seed, ...options });
  mortal = world;
  await prepare(world.app);
  const calm = { files: '', records: '' };
  let started = 0;
  for (const way of WAYS) {
    started = performance.now();
    calm[way] = await outcome(world.app, way, await invoke(world.app, way));
  }
  return { world, calm, ms: performance.now() - started };
}

/** Nothing is left behind: every orchestration has ended, and the report names blobs that are nothing but uncommitted blocks. */
async function reportOf(world: MortalApp, what: Readonly<Record<string, unknown>>): Promise<void> {
  const uncommitted = await world.uncommitted();
  console.log(JSON.stringify({ seed, ...what, uncommitted }));
  expect(uncommitted).toEqual([]);
  await expect.poll(() => world.openInstances(), { timeout: 30_000, interval: 500 }).toEqual([]);
}

test('a host that is killed at random points gives the same bytes', { timeout: LIMIT_MS }, async () => {
  const { world, calm, ms } = await begin();
  const random = seeded(seed);
  const kills = short ? 1 : 20;
  const at: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const way = wayOf(kill);
    const job = await invoke(world.app, way);
    at.push(Math.round(random() * ms));
    await wait(at.at(-1));
    await world.kill();
    await world.start();
    expect(await outcome(world.app, way, job)).toBe(calm[way]);
  }
  await reportOf(world, { kills: at });
});

test('a job whose host is killed again and again ends with the same bytes', { timeout: LIMIT_MS }, async () => {
  const { world, calm, ms } = await begin();
  const random = seeded(seed + 1);
  const job = await invoke(world.app, 'records');
  const kills = short ? 2 : 10;
  for (let kill = 0; kill < kills; kill++) {
    await wait((random() * ms) / 3);
    await world.kill();
    await world.start();
  }
  expect(await outcome(world.app, 'records', job)).toBe(calm.records);
  await reportOf(world, { kills });
});

test('storage that fails, hangs and loses answers changes nothing', { timeout: LIMIT_MS }, async () => {
  const { world, calm } = await begin({ faults: short ? 0.04 : 0.08 });
  world.letFaultsIn();
  for (let round = 0; round < (short ? 1 : 5); round++) {
    const way = wayOf(round);
    expect(await outcome(world.app, way, await invoke(world.app, way))).toBe(calm[way]);
  }
  expect(FAULTS.filter((fault) => world.met[fault] === 0)).toEqual([]);
  await reportOf(world, { met: world.met });
});

test('all of it at once: kills, faults, activities delivered twice, episodes lost', { timeout: LIMIT_MS }, async () => {
  const { world, calm, ms } = await begin({
    faults: 0.01,
    settings: {
      BATCHPOINT_CHAOS_DUPLICATE: '0.01',
      BATCHPOINT_CHAOS_GHOST: '0.05',
      BATCHPOINT_CHAOS_SEED: String(seed),
    },
  });
  world.letFaultsIn();
  const random = seeded(seed + 2);
  const kills = short ? 1 : 8;
  for (let kill = 0; kill < kills; kill++) {
    const way = wayOf(kill + 1);
    const job = await invoke(world.app, way);
    await wait(random() * ms);
    await world.kill();
    await world.start();
    expect(await outcome(world.app, way, job)).toBe(calm[way]);
  }
  await reportOf(world, { kills, met: world.met });
});

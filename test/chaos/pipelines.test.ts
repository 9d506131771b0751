import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { mortalApp, type MortalApp } from './mortal-app.ts';
import { seeded } from './seeded.ts';
import { outcome, prepare, submit } from './twelve-steps.ts';

/** `CHAOS=short` is the run of CI; CHAOS_SEED repeats one. */
const short = process.env['CHAOS'] === 'short';
const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 100_000);
const KILLS = 5;
const LIMIT_MS = 400_000;

let mortal: MortalApp | undefined;
afterEach(async () => {
  await mortal?.stop();
  mortal = undefined;
});

const KILLED = { what: 'is killed', settings: {} };
const STORM = {
  what: 'is killed, delivers every activity twice and loses episodes',
  settings: { BATCHPOINT_CHAOS_DUPLICATE: '1', BATCHPOINT_CHAOS_GHOST: '0.1', BATCHPOINT_CHAOS_SEED: String(seed) },
};

test.each(short ? [STORM] : [KILLED, STORM])(
  'every output of a pipeline is there, whole and nothing beside it, when its host $what',
  { timeout: LIMIT_MS },
  async ({ settings }) => {
    const world = await mortalApp({ seed, settings: { BATCHPOINT_ALLOW_CODE: 'true', ...settings } });
    mortal = world;
    await prepare(world.app);
    const started = performance.now();
    await submit(world.app, 'calm');
    await outcome(world.app, 'calm');
    const ms = performance.now() - started;

    const random = seeded(seed);
    await submit(world.app, 'stormy');
    const at: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      at.push(Math.round((random() * ms) / 2));
      await wait(at.at(-1));
      await world.kill();
      await world.start();
    }
    await outcome(world.app, 'stormy');
    console.log(JSON.stringify({ seed, kills: at, calmMs: Math.round(ms) }));
    await expect.poll(() => world.openInstances(), { timeout: 30_000, interval: 500 }).toEqual([]);
  },
);

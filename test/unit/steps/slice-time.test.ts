import { describe, expect, it } from 'vitest';
import type { JobDeps } from '../../../shared/steps/deps.ts';
import { scoreSlice } from '../../../shared/steps/score-slice.ts';
import { settleJob } from '../../../shared/steps/settle-job.ts';
import { StorageFault } from '../../../shared/storage/ports.ts';
import { jobsRegistry } from '../../../shared/storage/registry/jobs.ts';
import { jobWorld, numbered, planned } from '../../support/job-world.ts';

const SECOND = 1000;
const failed = { code: 'Broken', message: 'It failed.' };

/** An app of two slots, whose slices take a minute where nobody waits. Its clock goes on by `tick` whenever it is read. */
async function app({ tick = 0 } = {}) {
  const clock = { time: Date.parse('2026-01-01T00:00:00Z'), now: () => (clock.time += tick) };
  const world = jobWorld({ sliceMs: 60 * SECOND, slots: 2, clock });
  await world.put(numbered(40));
  return {
    world,
    accept: (name: string, lanes = 1) => world.accept(name, { instanceCount: lanes }, { output: null }),
    /** Seconds of a slice, so much later that every process looks again. */
    async sliceSeconds(deps: JobDeps = world.deps) {
      clock.time += 2 * SECOND;
      return (await deps.sliceTime.now(deps)) / SECOND;
    },
  };
}

describe('the time of a slice', () => {
  it('is whole while every open lane has a slot', async () => {
    const { world, accept, sliceSeconds } = await app();
    expect(await sliceSeconds()).toBe(60);
    await accept('a', 2);
    await planned(world, 'a');
    expect(await sliceSeconds()).toBe(60);
  });

  it('shrinks in proportion as jobs come, and grows again as they end', async () => {
    const { world, accept, sliceSeconds } = await app();
    await accept('a', 3);
    await planned(world, 'a');
    expect(await sliceSeconds()).toBe(40);
    await accept('b', 3);
    // Its first activity waits for a slot, too.
    expect(await sliceSeconds()).toBe(30);
    await planned(world, 'b');
    expect(await sliceSeconds()).toBe(20);
    for (const job of ['a', 'b']) await settleJob(world.deps, { job, reason: failed });
    expect(await sliceSeconds()).toBe(60);
  });

  it('is never so short that its own cost is felt', async () => {
    const { world, accept, sliceSeconds } = await app();
    for (const job of ['a', 'b', 'c', 'd']) {
      await accept(job, 40);
      await planned(world, job);
    }
    expect(await sliceSeconds()).toBe(1);
  });

  it('counts the slots of every instance that scores, until it has asked no more for half a minute', async () => {
    const { world, accept, sliceSeconds } = await app();
    const other = world.process({ jobs: jobsRegistry({ table: world.table, blobs: world.system }) });
    await accept('a', 8);
    await planned(world, 'a');
    expect(await sliceSeconds()).toBe(15);
    expect(await sliceSeconds(other)).toBe(30);
    expect(await sliceSeconds()).toBe(30);
    for (let second = 0; second < 30; second += 2) await sliceSeconds();
    expect(await sliceSeconds()).toBe(15);
  });

  it.each([
    [0, true],
    [9, false],
  ])('of which %i jobs come in the middle lasts to the end: %s', async (others, done) => {
    const { world, accept } = await app({ tick: 300 });
    await accept('a');
    await planned(world, 'a');
    const { jobs } = world.deps;
    let looks = 0;
    const stopped: JobDeps['jobs']['stopped'] = async (job, generation) => {
      looks++;
      // The slice has begun when it looks for the second time.
      if (looks === 2) for (let i = 0; i < others; i++) await accept(`other-${i}`);
      return jobs.stopped(job, generation);
    };
    const deps = world.process({ jobs: { ...jobs, stopped } });
    const answer = await scoreSlice(deps, { job: 'a', lane: 0, position: null, receipt: null });
    expect(answer).toMatchObject({ ok: true, done });
    expect(answer.position).toBeGreaterThan(1);
  });

  it('stays as it was when nobody can tell how full the app is', async () => {
    const { world, accept, sliceSeconds } = await app();
    await accept('a', 3);
    await planned(world, 'a');
    expect(await sliceSeconds()).toBe(40);
    const crowd = (): Promise<never> => Promise.reject(new StorageFault('query', 500, 'InternalError'));
    expect(await sliceSeconds({ ...world.deps, jobs: { ...world.deps.jobs, crowd } })).toBe(40);
  });
});

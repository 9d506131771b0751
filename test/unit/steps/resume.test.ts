import { describe, expect, it } from 'vitest';
import { commitJob } from '../../../shared/steps/commit-job.ts';
import { viewJob } from '../../../shared/steps/job-view.ts';
import { planJob, takeJob } from '../../../shared/steps/plan-job.ts';
import { scoreSlice } from '../../../shared/steps/score-slice.ts';
import { settleJob } from '../../../shared/steps/settle-job.ts';
import { sweepJobs } from '../../../shared/steps/sweep-jobs.ts';
import { noPipelines } from '../../support/no-pipelines.ts';
import { fakeOrchestrations } from '../../support/fake-orchestrations.ts';
import { jobWorld, numberedOutput, planned, runLane, SHAPES, type Shape } from '../../support/job-world.ts';

const MINUTE = 60_000;

const [FILES] = SHAPES as [Shape, Shape];

/** A job `job` over so many records, whose first orchestration is active and does nothing by itself. */
async function stuckWorld(records: number, settings = {}, { unit, input } = FILES) {
  const clock = { time: Date.parse('2026-03-01T00:00:00.000Z'), now: () => clock.time };
  const world = jobWorld({ sliceMs: 0, clock, unit });
  const orchestrations = fakeOrchestrations();
  const deps = { ...world.deps, ...noPipelines(world), orchestrations, retentionDays: 30 };
  await world.put(input(records));
  await world.accept('job', settings);
  await orchestrations.start('job');
  const lanes = await planned(world, 'job');
  orchestrations.asked.length = 0;
  const sweepAfter = async (ms: number) => {
    clock.time += ms;
    await sweepJobs(deps);
    return orchestrations.asked.splice(0).filter((asked) => !asked.startsWith('purge'));
  };
  return { ...world, lanes, clock, orchestrations, deps, sweepAfter };
}

describe.each(SHAPES)('a job without progress, in mini-batches of $unit', (shape) => {
  it('goes on in its next generation, from its receipts, and ends with the same bytes', async () => {
    const world = await stuckWorld(5, { instanceCount: 2 }, shape);
    await world.slice('job', 0, await world.slice('job', 0));
    const seen = world.engine.seen.length;
    expect(await world.sweepAfter(3 * MINUTE - 1)).toEqual([]);
    expect(await world.sweepAfter(1)).toEqual(['terminate job/1', 'start job/2']);
    expect(await viewJob(world.deps, 'job')).toMatchObject({ status: 'Running' });
    expect(await world.resume('job', 2)).toMatchObject({
      state: 'completed',
      totals: { files: shape.files(5), filesDone: shape.files(5), filesFailed: 0, rows: 5, recordsFailed: 0 },
    });
    expect(await world.text('out/predictions.csv')).toBe(shape.output(5));
    expect(world.engine.seen.slice(seen).sort()).toEqual([2, 3, 4].map(shape.seen));
  });

  it.each([0, 1, 7])('resumes after %i slices', async (slices) => {
    const world = await stuckWorld(7, {}, shape);
    for (let i = 0, at; i < slices; i++) at = await world.slice('job', 0, at);
    await world.sweepAfter(3 * MINUTE);
    expect(await world.resume('job', 2)).toMatchObject({ state: 'completed', totals: { rows: 7 } });
    expect(await world.text('out/predictions.csv')).toBe(shape.output(7));
    expect(world.engine.seen).toHaveLength(7);
  });

  it('writes receipts side by side with its next generation; the fan-in takes one chain of each lane', async () => {
    for (const ghostFirst of [true, false]) {
      const world = await stuckWorld(8, { instanceCount: 2 }, shape);
      // The first generation still runs where nobody can tell it to stop: its looks at the stop mark see nothing.
      const ghost = world.process({ jobs: { ...world.deps.jobs, stopped: async () => undefined } });
      const first = [0, 1].map((lane) => scoreSlice(ghost, { job: 'job', lane, position: null, receipt: null }));
      await Promise.all(first);
      await world.sweepAfter(3 * MINUTE);
      const ghosts = () => [0, 1].map((lane) => runLane(ghost, { job: 'job', lane }, null));
      const racing = ghostFirst ? ghosts() : [];
      const resumed = world.resume('job', 2);
      if (!ghostFirst) racing.push(...ghosts());
      const [record, ...lanes] = await Promise.all([resumed, ...racing]);
      expect(record).toMatchObject({ state: 'completed', totals: { filesDone: shape.files(8), rows: 8 } });
      expect(await world.text('out/predictions.csv')).toBe(shape.output(8));
      expect(await commitJob(ghost, { job: 'job', execution: 'the-execution', lanes })).toEqual({ state: 'completed' });
      expect(await world.text('out/predictions.csv')).toBe(shape.output(8));
    }
  });
});

describe('a job without progress', () => {
  it('is patient while the lanes of other jobs may be queued before its own', async () => {
    const world = await stuckWorld(2);
    const busy = { ...world.deps, sliceMs: 30_000, slots: 1 };
    await world.accept('other', { instanceCount: 2 }, { output: null });
    await world.orchestrations.start('other');
    await planned(world, 'other');
    world.orchestrations.asked.length = 0;
    world.clock.time += 4 * MINUTE;
    await sweepJobs(busy);
    expect(await world.record('job')).toMatchObject({ state: 'scoring' });
    world.clock.time += MINUTE;
    await sweepJobs(busy);
    expect(await world.record('job')).toMatchObject({ state: 'resuming', generation: 2 });
  });

  it('is patient while storage took no signs of life', async () => {
    const world = await stuckWorld(2);
    world.clock.time += 4 * MINUTE;
    await sweepJobs({ ...world.deps, storageWaits: { since: () => 2 * MINUTE } });
    expect(await world.record('job')).toMatchObject({ state: 'scoring' });
    await sweepJobs(world.deps);
    expect(await world.record('job')).toMatchObject({ state: 'resuming', generation: 2 });
  });

  it('begins a lane anew whose receipts do not hold', async () => {
    const world = await stuckWorld(3);
    const at = await world.slice('job', 0);
    await world.slice('job', 0, at);
    const files = { ...world.deps.files };
    await world.sweepAfter(3 * MINUTE);
    const run = { job: 'job', execution: 'second', generation: 2 };
    await takeJob(world.deps, run);
    const lost = { ...files, receipt: async () => undefined };
    expect(await planJob({ ...world.deps, files: lost }, run)).toEqual({ ok: true, lanes: 1, starts: [null] });
    const lane = await runLane(world.deps, { job: 'job', lane: 0, generation: 2 }, null);
    await commitJob(world.deps, { ...run, lanes: [lane] });
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(3));
  });

  it('is resumed when it hangs while it plans, too, though later', async () => {
    const world = await stuckWorld(2);
    await world.accept('planning', {}, { output: null });
    await world.orchestrations.start('planning');
    await world.take('planning');
    world.orchestrations.asked.length = 0;
    expect(await world.sweepAfter(30 * MINUTE)).not.toContain('start planning/2');
    expect(await world.sweepAfter(5 * MINUTE)).toContain('start planning/2');
    expect(await world.resume('planning', 2)).toMatchObject({ state: 'completed' });
    expect(await world.text('azureml/planning/score/predictions.csv')).toBe(numberedOutput(2));
  });

  it('is resumed at once when its orchestration failed', async () => {
    const world = await stuckWorld(2);
    world.orchestrations.states.set('job/1', 'failed');
    expect(await viewJob(world.deps, 'job')).toMatchObject({ status: 'Running' });
    expect(await world.sweepAfter(0)).toEqual(['terminate job/1', 'start job/2']);
    expect(await world.resume('job', 2)).toMatchObject({ state: 'completed' });
  });

  it('keeps what was planned, also when the input has grown since', async () => {
    const world = await stuckWorld(2);
    await world.put({ 'in/later.csv': 'x\n' });
    await world.sweepAfter(3 * MINUTE);
    await world.resume('job', 2);
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(2));
  });

  it('fails with that reason after its third generation', async () => {
    const world = await stuckWorld(2);
    expect(await world.sweepAfter(3 * MINUTE)).toEqual(['terminate job/1', 'start job/2']);
    expect(await world.sweepAfter(3 * MINUTE)).toEqual(['terminate job/2', 'start job/3']);
    expect(await world.sweepAfter(3 * MINUTE)).toEqual(['terminate job/3']);
    expect(await world.record('job')).toMatchObject({
      state: 'failed',
      reason: {
        code: 'NoProgress',
        message: 'The job made no progress for 180 s. It was resumed 2 times; now it is given up.',
      },
    });
    world.orchestrations.states.set('job/3', 'failed');
    expect(await viewJob(world.deps, 'job')).toMatchObject({ status: 'Failed' });
  });

  it('is started again in the same generation when the sweeper died between the record and the start', async () => {
    const world = await stuckWorld(2);
    const died = { ...world.orchestrations, terminate: () => Promise.reject(new Error('killed')) };
    world.clock.time += 3 * MINUTE;
    await sweepJobs({ ...world.deps, orchestrations: died });
    expect(await world.record('job')).toMatchObject({ state: 'resuming', generation: 2 });
    expect(await world.sweepAfter(MINUTE)).toEqual(['terminate job/1', 'start job/2']);
    expect(await world.resume('job', 2)).toMatchObject({ state: 'completed' });
  });

  it('gets one next generation from two sweeps at once', async () => {
    const world = await stuckWorld(2);
    world.clock.time += 3 * MINUTE;
    await Promise.all([sweepJobs(world.deps), sweepJobs(world.deps)]);
    expect(await world.record('job')).toMatchObject({ state: 'resuming', generation: 2 });
    expect(new Set(world.orchestrations.asked.filter((asked) => asked.startsWith('start')))).toEqual(
      new Set(['start job/2']),
    );
  });
});

describe('two generations at once', () => {
  it('tells the slices of the old one to stop', async () => {
    const world = await stuckWorld(2);
    await world.sweepAfter(3 * MINUTE);
    expect(await world.slice('job', 0)).toMatchObject({
      ok: false,
      reason: { code: 'Superseded', message: 'The job goes on in its generation 2.' },
    });
    expect(world.engine.seen).toEqual([]);
  });

  it('lets the old one neither plan, commit nor settle', async () => {
    const world = await stuckWorld(2);
    const lanes = [await world.lane('job', 0)];
    await world.sweepAfter(3 * MINUTE);
    const reason = { code: 'InfrastructureFailure', message: 'storage was away' };
    const old = { job: 'job', execution: 'the-execution' };
    expect(await takeJob(world.deps, old)).toEqual({ over: true });
    expect(await planJob(world.deps, old)).toMatchObject({ ok: false, reason: { code: 'Superseded' } });
    expect(await settleJob(world.deps, { job: 'job', reason })).toEqual({ state: 'over' });
    expect(await commitJob(world.deps, { ...old, lanes })).toEqual({ state: 'over' });
    expect(await world.record('job')).toMatchObject({ state: 'resuming', generation: 2 });
    expect(await world.resume('job', 2)).toMatchObject({ state: 'completed' });
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(2));
  });

  it('goes on from receipts of the old one that came late', async () => {
    const world = await stuckWorld(4);
    await world.sweepAfter(3 * MINUTE);
    const ghost = world.process({ jobs: { ...world.deps.jobs, stopped: async () => undefined } });
    await runLane(ghost, { job: 'job', lane: 0 }, null);
    expect(world.engine.seen).toHaveLength(4);
    expect(await world.resume('job', 2)).toMatchObject({ state: 'completed' });
    expect(world.engine.seen).toHaveLength(4);
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(4));
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Reason } from '../../../shared/domain/job.ts';
import { cancelJob } from '../../../shared/steps/cancel-job.ts';
import { commitJob } from '../../../shared/steps/commit-job.ts';
import { BEAT_MS } from '../../../shared/steps/lane-report.ts';
import { viewJob } from '../../../shared/steps/job-view.ts';
import { planJob } from '../../../shared/steps/plan-job.ts';
import { salvageJob } from '../../../shared/steps/salvage-job.ts';
import type { Blobs } from '../../../shared/storage/ports.ts';
import { jobWorld, numbered, numberedOutput, runLane, scoreSegments } from '../../support/job-world.ts';
import { OUTPUT, plan, RUN, scored, segmented } from '../../support/segmented-world.ts';

describe('a job of which only a part is planned', () => {
  it('says so, and does not guess how long it takes', async () => {
    const world = await segmented(7);
    const second = await scored(world, 1);
    const view = () => viewJob(world.deps, 'job');
    const totals = { files: 6, filesDone: 3, filesFailed: 0, rows: 3, recordsFailed: 0 };
    expect(await view()).toMatchObject({ status: 'Running', listing: true, totals });
    expect(await view()).not.toHaveProperty('secondsLeft');
    await runLane(world.deps, { job: 'job', lane: second.firstLane ?? 0, segment: 1 }, null);
    await plan(world, 2);
    expect(await view()).toMatchObject({
      totals: { files: 7, filesDone: 6 },
      secondsLeft: expect.any(Number) as number,
    });
    expect(await view()).not.toHaveProperty('listing');
  });

  it('ends as cancelled, when the next segment is listed, and what was scored can be salvaged', async () => {
    const world = await segmented(7);
    const second = await scored(world, 1);
    await cancelJob(world.deps, 'job');
    await scoreSegments(world.deps, RUN, second);
    expect(await world.record('job')).toMatchObject({ state: 'canceled', totals: { files: 6, filesDone: 3 } });
    expect(await planJob(world.deps, { ...RUN, segment: 2 })).toMatchObject({
      ok: false,
      reason: { code: 'Canceled' },
    });
    expect(await salvageJob(world.deps, 'job')).toMatchObject({ totals: { files: 6, filesDone: 3, rows: 3 } });
    expect(await world.text(OUTPUT)).toBe(numberedOutput(3));
  });

  it.each([
    ['TooManyFiles', { limits: { files: 5 } }, {}],
    ['TooManyMiniBatches', { limits: { miniBatches: 4 } }, {}],
  ])('fails for %s as soon as that shows, and its lanes stop', async (code, options, settings) => {
    const world = await segmented(7, settings, options);
    await world.take('job');
    const first = await plan(world);
    const refused = await planJob(world.deps, { ...RUN, segment: 1 });
    expect(refused).toMatchObject({ ok: false, reason: { code } });
    await scoreSegments(world.deps, RUN, first);
    expect(await world.record('job')).toMatchObject({ state: 'failed', reason: { code } });
    expect(world.engine.seen).toEqual([]);
  });

  it('fails for what its plan says also where the stop mark could not be written', async () => {
    const world = await segmented(7);
    await world.take('job');
    await plan(world);
    const lane = await runLane(world.deps, { job: 'job', lane: 0 }, null);
    const reason: Reason = { code: 'InfrastructureFailure', message: 'storage is away' };
    await commitJob(world.deps, { ...RUN, lanes: [lane], reason });
    expect(await world.record('job')).toMatchObject({ state: 'failed', reason, totals: { files: 3, filesDone: 3 } });
  });

  it('is not committed without what is behind it', async () => {
    const world = await segmented(7);
    await scored(world, 1);
    const { receipt = undefined } = (await world.deps.jobs.progress('job'))[0] ?? {};
    await world.commit('job', [{ ok: true, receipt: receipt?.name ?? null, reason: null }]);
    expect(await world.record('job')).toMatchObject({
      state: 'failed',
      reason: { code: 'ReceiptsBroken', message: 'lane 1: nobody scored it' },
    });
  });

  it('that fails in a later segment is salvaged whole as far as it got', async () => {
    const world = await segmented(7, { errorThreshold: 0 });
    await world.put({ 'in/f005.csv': 'not csv\n' });
    expect(await world.run('job')).toMatchObject({ state: 'failed', reason: { code: 'ErrorThresholdExceeded' } });
    expect(await world.text(OUTPUT)).toBeUndefined();
    await salvageJob(world.deps, 'job');
    expect(await world.text(OUTPUT)).toBe(numberedOutput(5));
  });
});

describe('a segment that takes long to list', () => {
  afterEach(() => void vi.useRealTimers());

  it('shows that its job lives, by the row of its first lane', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let pages = 0;
    const faulty = (blobs: Blobs): Blobs => ({
      ...blobs,
      listPage: async (...request) => {
        if (++pages > 1) await held;
        return blobs.listPage(...request);
      },
    });
    const world = await segmented(7, {}, { faulty });
    await world.take('job');
    await plan(world);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const second = plan(world, 1);
    await vi.waitUntil(() => pages === 2);
    vi.advanceTimersByTime(BEAT_MS);
    await vi.waitUntil(async () => (await world.deps.jobs.progress('job')).length > 0);
    expect(await world.deps.jobs.progress('job')).toMatchObject([{ lane: 1, position: 3, filesDone: 0 }]);
    release();
    expect(await second).toMatchObject({ segment: 1, firstLane: 1 });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a slice of a plan with many mini-batches', () => {
  /** How many receipts the lane of a job over 7 files gets, of whose plan each slice covers at least three mini-batches. */
  async function slices(stepMs: number): Promise<number> {
    const clock = { time: Date.parse('2026-03-01T00:00:00.000Z'), now: () => (clock.time += stepMs) };
    const world = jobWorld({ sliceMs: 0, clock });
    await world.put(numbered(7));
    await world.accept('twin');
    await world.take('twin');
    await planJob(world.deps, { job: 'twin', execution: RUN.execution });
    const { manifest } = await world.deps.files.plan('twin');
    await world.accept('job');
    await world.deps.files.writePlan({ ...manifest, job: 'job', miniBatchesPerSlice: 3 });
    let done = 0;
    for (let at; !at?.done; done++) at = await world.slice('job', 0, at);
    return done;
  }

  it('covers as many as its plan has blocks for, however short its time is', async () => {
    expect(await slices(1)).toBe(3);
  });

  it('ends all the same before its activity may be ended', async () => {
    expect(await slices(11 * 60_000)).toBe(7);
  });
});

describe('a generation that resumes', () => {
  it.each([0, 1, 2])('goes on after %i whole segments, and ends with the same bytes', async (segments) => {
    const world = await segmented(8, { instanceCount: 2 });
    await scored(world, segments);
    const seen = world.engine.seen.length;
    await world.deps.jobs.transition('job', ({ name, endpoint, deployment, createdAt, cancelRequested }) => ({
      state: 'resuming',
      ...{ name, endpoint, deployment, createdAt, cancelRequested, generation: 2, startedAt: null },
    }));
    await world.deps.jobs.supersede('job', 2);
    expect(await world.resume('job', 2)).toMatchObject({ state: 'completed', totals: { files: 8, rows: 8 } });
    expect(await world.text(OUTPUT)).toBe(numberedOutput(8));
    expect(seen).toBe(3 * segments);
    expect(world.engine.seen).toHaveLength(8);
  });
});

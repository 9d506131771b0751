import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Reason } from '../../../shared/domain/job.ts';
import { cancelJob } from '../../../shared/steps/cancel-job.ts';
import { commitJob } from '../../../shared/steps/commit-job.ts';
import { BEAT_MS } from '../../../shared/steps/lane-report.ts';
import { viewJob } from '../../../shared/steps/job-view.ts';
import { planJob, type PlannedSegment } from '../../../shared/steps/plan-job.ts';
import { salvageJob } from '../../../shared/steps/salvage-job.ts';
import type { Blobs } from '../../../shared/storage/ports.ts';
import { fakeOrchestrations } from '../../support/fake-orchestrations.ts';
import { jobWorld, numbered, numberedOutput, runLane, scoreSegments } from '../../support/job-world.ts';

const RUN = { job: 'job', execution: 'the-execution' };
const OUTPUT = 'out/predictions.csv';
const THREES = { first: 3, others: 3 };

type Options = NonNullable<Parameters<typeof jobWorld>[0]>;

/** A job `job` over so many files of one record, planned three files at a time. */
async function segmented(files: number, settings = {}, options: Options = {}) {
  const world = jobWorld({ segmentSizes: THREES, ...options });
  await world.put(numbered(files));
  await world.accept('job', settings);
  const orchestrations = fakeOrchestrations();
  await orchestrations.start('job');
  const manifests = async () => {
    const found = [];
    for (let segment = 0, plan; (plan = await world.deps.files.findPlan('job', segment)); segment++)
      found.push(plan.manifest);
    return found;
  };
  return { ...world, deps: { ...world.deps, orchestrations }, manifests };
}

type World = Awaited<ReturnType<typeof segmented>>;

async function plan({ deps }: World, segment?: number, generation?: number): Promise<PlannedSegment> {
  const parts = { ...(segment !== undefined && { segment }), ...(generation !== undefined && { generation }) };
  const planned = await planJob(deps, { ...RUN, ...parts });
  if (!planned.ok) throw new Error(planned.reason.message);
  return planned;
}

/** Plans segments and scores their lanes, until so many are scored; the last one that is answered is planned only. */
async function scored(world: World, segments: number): Promise<PlannedSegment> {
  await world.take('job');
  let planned = await plan(world);
  for (let segment = 0; segment < segments; segment++) {
    const { lanes, firstLane = 0 } = planned;
    const part = segment === 0 ? {} : { segment };
    for (let lane = firstLane; lane < firstLane + lanes; lane++)
      await runLane(world.deps, { job: 'job', lane, ...part }, null);
    planned = await plan(world, segment + 1);
  }
  return planned;
}

describe('a plan in segments', () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [6, 2],
    [7, 3],
    [10, 4],
  ])('of %i files has %i of three, and gives one output with each row once, in order', async (files, segments) => {
    const world = await segmented(files, { instanceCount: 2 });
    const totals = { files, filesDone: files, filesFailed: 0, rows: files, recordsFailed: 0 };
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals });
    expect(await world.text(OUTPUT)).toBe(numberedOutput(files));
    expect(await world.manifests()).toHaveLength(segments);
  });

  it('numbers mini-batches and lanes through the job, and says where each segment begins', async () => {
    const world = await segmented(7, { instanceCount: 2 });
    await world.run('job');
    const manifests = await world.manifests();
    expect(manifests.map(({ lanes }) => lanes)).toEqual([
      [
        { from: 0, to: 2 },
        { from: 2, to: 3 },
      ],
      [
        { from: 3, to: 5 },
        { from: 5, to: 6 },
      ],
      [{ from: 6, to: 7 }],
    ]);
    expect(manifests.map(({ begins }) => begins && { ...begins, blocks: 0 })).toEqual([
      undefined,
      { segment: 1, files: 3, miniBatches: 3, lanes: 2, blocks: 0 },
      { segment: 2, files: 6, miniBatches: 6, lanes: 4, blocks: 0 },
    ]);
    expect(manifests.map(({ next }) => next)).toEqual([{ blob: 'in/f002.csv' }, { blob: 'in/f005.csv' }, undefined]);
  });

  it.each([
    [1, [3, 3, 1]],
    [2, [2, 2, 2, 1]],
    [3, [3, 3, 1]],
    [4, [4, 3]],
    [9, [7]],
  ])('has whole mini-batches of %i files, as a plan in one piece has', async (miniBatchSize, sizes) => {
    const world = await segmented(7, { miniBatchSize });
    expect(await world.run('job')).toMatchObject({ state: 'completed' });
    expect((await world.manifests()).map(({ files }) => files.length)).toEqual(sizes);
    expect(await world.text(OUTPUT)).toBe(numberedOutput(7));
  });

  it.each(['records', 'bytes'] as const)('cuts large files into %s, each within its segment', async (unit) => {
    const world = jobWorld({ segmentSizes: THREES, unit });
    const record = (file: number, row: number) => `record ${row} of file ${file}`.padEnd(100, '.');
    const rows = [...Array(5).keys()];
    const text = (file: number) => rows.map((row) => `${record(file, row)}\n`).join('');
    await world.put(Object.fromEntries(rows.map((file) => [`in/f${file}.csv`, text(file)])));
    await world.accept('job', { miniBatchSize: unit === 'records' ? 2 : 220, instanceCount: 2 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { filesDone: 5, rows: 25 } });
    const expected = rows.flatMap((file) => rows.map((row) => `f${file}.csv,${row},${record(file, row)}`));
    expect(await world.text(OUTPUT)).toBe(['file,row,value', ...expected, ''].join('\n'));
    expect(await world.deps.files.findPlan('job', 1)).toBeDefined();
  });

  it('passes over what is no file, and needs no segment for what follows the last one', async () => {
    const world = await segmented(6);
    await world.put({ 'in/f000/deep.csv': 'v\n', 'in/f003/deep.csv': 'v\n', 'in/z/deep.csv': 'v\n' });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { files: 6 } });
    expect(await world.manifests()).toHaveLength(2);
  });

  it('has errors of every segment in the errors file, in order, and in the totals', async () => {
    const world = await segmented(8, { errorThreshold: -1 });
    await world.put({ 'in/f001.csv': 'not csv\n', 'in/f004.csv': 'v4\nbad\n', 'in/f007.csv': 'not csv\n' });
    const totals = { files: 8, filesDone: 6, filesFailed: 2, rows: 6, recordsFailed: 1 };
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals });
    const lines = (await world.text(`${OUTPUT}.errors.jsonl`))?.trim().split('\n') ?? [];
    expect(lines.map((line) => (JSON.parse(line) as { file: string }).file)).toEqual([
      'f001.csv',
      'f004.csv',
      'f007.csv',
    ]);
  });

  it('is listed on where the last file was taken, with what is there by then', async () => {
    const world = await segmented(7);
    await world.take('job');
    const first = await plan(world);
    await world.data.remove({ container: 'data', name: 'in/f002.csv' });
    await world.put({ 'in/f001a.csv': 'too late\n', 'in/f003a.csv': 'in time\n' });
    await world.put({ 'in/f004.csv': 'v4 again\n' });
    expect(first.more).toBe(true);
    await scoreSegments(world.deps, RUN, first);
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      totals: { files: 8, filesFailed: 1, rows: 7 },
    });
    expect(await world.text(OUTPUT)).toBe(
      [
        ...['file,row,value', 'f000.csv,0,v0', 'f001.csv,0,v1', 'f003.csv,0,v3', 'f003a.csv,0,in time'],
        ...['f004.csv,0,v4 again', 'f005.csv,0,v5', 'f006.csv,0,v6', ''],
      ].join('\n'),
    );
  });

  it('pins each file when its segment is listed: one that changes later fails alone', async () => {
    const world = await segmented(5);
    const second = await scored(world, 1);
    await world.put({ 'in/f004.csv': 'other\n' });
    await scoreSegments(world.deps, RUN, second);
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      failures: [{ file: 'f004.csv', code: 'InputChanged' }],
      totals: { files: 5, filesDone: 4 },
    });
  });

  it('ends where the files that were to follow are gone', async () => {
    const world = await segmented(4);
    await world.take('job');
    const first = await plan(world);
    await world.data.remove({ container: 'data', name: 'in/f003.csv' });
    await scoreSegments(world.deps, RUN, first);
    expect(await world.record('job')).toMatchObject({ state: 'completed', totals: { files: 3, filesDone: 3 } });
    expect(await world.text(OUTPUT)).toBe(numberedOutput(3));
  });

  it('stands once it is made, whoever asks again', async () => {
    const world = await segmented(7);
    const second = await scored(world, 1);
    const before = await world.manifests();
    await world.put({ 'in/f004a.csv': 'v\n' });
    expect(await plan({ ...world, deps: { ...world.deps, ...world.process() } }, 1)).toEqual(second);
    expect(await world.manifests()).toEqual(before);
  });
});

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

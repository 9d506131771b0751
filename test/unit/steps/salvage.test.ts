import { describe, expect, it } from 'vitest';
import { cancelJob } from '../../../shared/steps/cancel-job.ts';
import { viewJob } from '../../../shared/steps/job-view.ts';
import { salvageJob } from '../../../shared/steps/salvage-job.ts';
import { scoreSlice } from '../../../shared/steps/score-slice.ts';
import { fakeOrchestrations } from '../../support/fake-orchestrations.ts';
import { withFaults } from '../../support/faulty-blobs.ts';
import { jobWorld, numbered, numberedOutput, planned, SHAPES, type Shape } from '../../support/job-world.ts';

const DAY = 86_400_000;
const OUTPUT = 'out/predictions.csv';
const ERRORS = `${OUTPUT}.errors.jsonl`;

/** A job `job` of which every lane has scored so many slices of one mini-batch each, and which was then cancelled. */
async function cancelled(
  files: Record<string, string>,
  slices: readonly number[],
  faulty?: Parameters<typeof jobWorld>[0],
) {
  const clock = { time: Date.parse('2026-03-01T00:00:00.000Z'), now: () => clock.time };
  const world = jobWorld({ sliceMs: 0, clock, ...faulty });
  const deps = { ...world.deps, orchestrations: fakeOrchestrations() };
  await deps.orchestrations.start('job');
  await world.put(files);
  await world.accept('job', { instanceCount: slices.length });
  await planned(world, 'job');
  const lanes = slices.map(async (count, lane) => {
    let at;
    for (let i = 0; i < count; i++) at = await world.slice('job', lane, at);
    return { ok: false, receipt: at?.receipt ?? null, reason: null };
  });
  const results = await Promise.all(lanes);
  await cancelJob(deps, 'job');
  await world.commit('job', results);
  const metadata = async (blob: string) => (await world.data.head({ container: 'data', name: blob }))?.metadata;
  return { ...world, deps, clock, metadata, salvage: () => salvageJob(deps, 'job') };
}

describe('salvage', () => {
  it('commits the finished mini-batches of every lane in input order, marked as a part; the job stays cancelled', async () => {
    const world = await cancelled(numbered(8), [1, 0, 2]);
    expect(await world.text(OUTPUT)).toBeUndefined();
    const totals = { files: 8, filesDone: 3, filesFailed: 0, rows: 3, recordsFailed: 0 };
    const outputUri = `azureml://datastores/store/paths/${OUTPUT}`;
    expect(await world.salvage()).toMatchObject({
      status: 'Canceled',
      totals,
      record: { state: 'canceled', outputUri },
    });
    const lanes = (await world.deps.files.plan('job')).manifest.lanes.map(({ from }) => from);
    const rows = [0, lanes[2] ?? 0, (lanes[2] ?? 0) + 1].map((i) => `f00${i}.csv,0,v${i}`);
    expect(await world.text(OUTPUT)).toBe(['file,row,value', ...rows, ''].join('\n'));
    expect(await world.metadata(OUTPUT)).toMatchObject({
      batchpoint_complete: 'false',
      batchpoint_job: 'job',
      batchpoint_totals: JSON.stringify(totals),
    });
    expect(await viewJob(world.deps, 'job')).toMatchObject({
      status: 'Canceled',
      totals,
      reason: { code: 'Canceled' },
    });
  });

  it('commits the finished ranges of a file that is not done', async () => {
    const [, { input, unit }] = SHAPES as [Shape, Shape];
    const world = await cancelled(input(8), [1, 0, 2], { unit });
    const totals = { files: 1, filesDone: 0, filesFailed: 0, rows: 3, recordsFailed: 0 };
    expect(await world.salvage()).toMatchObject({ status: 'Canceled', totals });
    const lanes = (await world.deps.files.plan('job')).manifest.lanes.map(({ from }) => from);
    const rows = [0, lanes[2] ?? 0, (lanes[2] ?? 0) + 1].map((i) => `f.csv,${i},v${i}`);
    expect(await world.text(OUTPUT)).toBe(['file,row,value', ...rows, ''].join('\n'));
  });

  it('answers the same when asked again, at once or later', async () => {
    const world = await cancelled(numbered(4), [2]);
    const [first, second] = await Promise.all([world.salvage(), world.salvage()]);
    expect(second).toEqual(first);
    world.clock.time += 30 * DAY;
    expect((await world.salvage()).record).toEqual(first?.record);
    expect(await world.text(OUTPUT)).toBe(numberedOutput(2));
  });

  it('writes the errors of the part beside it, in place of those that the failed job left', async () => {
    const files = { ...numbered(3), 'in/f001.csv': 'not csv\n' };
    const world = await cancelled(files, [2]);
    const line = { file: 'f001.csv', line: 1, code: 'NotCsv', reason: 'The file is not CSV.', attempts: 1 };
    expect(await world.text(ERRORS)).toBe(`${JSON.stringify(line)}\n`);
    expect(await world.metadata(ERRORS)).not.toHaveProperty('batchpoint_complete');
    expect(await world.salvage()).toMatchObject({
      record: { errorsUri: `azureml://datastores/store/paths/${ERRORS}`, totals: { filesDone: 1, filesFailed: 1 } },
    });
    expect(await world.text(ERRORS)).toBe(`${JSON.stringify(line)}\n`);
    expect(await world.metadata(ERRORS)).toMatchObject({ batchpoint_complete: 'false', batchpoint_job: 'job' });
    expect(await world.text(OUTPUT)).toBe('file,row,value\nf000.csv,0,v0\n');
  });

  it.each([0, 1, 2])('does not depend on the fan-in, and answers after lost answers (%i)', async (times) => {
    const clock = { now: () => Date.now() };
    const world = jobWorld({
      sliceMs: 0,
      clock,
      faulty: (blobs) => withFaults(blobs, [{ operation: 'commitBlocks', times, fault: { kind: 'loseAnswer' } }]),
    });
    await world.put({ ...numbered(3), 'in/f000.csv': 'bad\n1\n' });
    await world.accept('job');
    await planned(world, 'job');
    await world.slice('job', 0);
    const deps = { ...world.deps, orchestrations: fakeOrchestrations() };
    expect(await viewJob(deps, 'job')).toMatchObject({ status: 'Failed' });
    expect(await salvageJob(deps, 'job')).toMatchObject({
      status: 'Failed',
      totals: { files: 3, filesDone: 1, filesFailed: 0, rows: 1, recordsFailed: 1 },
    });
    expect(await world.text(OUTPUT)).toBe('file,row,value\nf000.csv,1,1\n');
  });

  it('finds its own file when it died before it could say so, whatever came in late', async () => {
    const world = await cancelled(numbered(4), [2]);
    const died = { ...world.deps, jobs: { ...world.deps.jobs, amend: () => Promise.reject(new Error('killed')) } };
    await expect(salvageJob(died, 'job')).rejects.toThrow('killed');
    const late = world.process({ jobs: { ...world.deps.jobs, stopped: async () => undefined } });
    const [row] = await world.deps.jobs.progress('job');
    await scoreSlice(late, { job: 'job', lane: 0, position: 2, receipt: row?.receipt?.name ?? null });
    expect(await world.salvage()).toMatchObject({ totals: { filesDone: 2, rows: 2 } });
    expect(await world.text(OUTPUT)).toBe(numberedOutput(2));
  });

  it('is refused with the reason, and changes nothing', async () => {
    const world = await cancelled(numbered(3), [0]);
    await expect(world.salvage()).rejects.toMatchObject({
      status: 409,
      message: "Job 'job' had finished nothing that could be salvaged.",
    });
    const accept = (name: string) => world.accept(name, {}, { output: null });
    await accept('running');
    await expect(salvageJob(world.deps, 'running')).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/has not ended/) as string,
    });
    await world.run('running');
    await expect(salvageJob(world.deps, 'running')).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/is completed/) as string,
    });
    await expect(salvageJob(world.deps, 'nobody')).rejects.toMatchObject({ status: 404 });
    await accept('unplanned');
    await world.deps.jobs.transition('unplanned', (record) => ({ ...record, cancelRequested: true }));
    await viewJob(world.deps, 'unplanned');
    await expect(salvageJob(world.deps, 'unplanned')).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/finished nothing/) as string,
    });
    expect(await world.text(OUTPUT)).toBeUndefined();
  });

  it('is refused when its blocks are gone with the time', async () => {
    const world = await cancelled(numbered(3), [1]);
    world.clock.time += 7 * DAY + 1;
    await expect(world.salvage()).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/ended more than 7 days ago/) as string,
    });
  });

  it('is refused while another job writes to the path, or has written there', async () => {
    const world = await cancelled(numbered(3), [1]);
    await world.accept('next');
    await planned(world, 'next');
    await expect(world.salvage()).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/while job next writes to/) as string,
    });
    await world.commit('next', [await world.lane('next', 0)]);
    await expect(world.salvage()).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/cannot be salvaged/) as string,
    });
    expect(await world.text(OUTPUT)).toBe(numberedOutput(3));
    expect(await world.record('job')).not.toHaveProperty('outputUri');
  });

  it('leaves the path to nobody else once it has written there', async () => {
    const world = await cancelled(numbered(3), [1]);
    await world.salvage();
    await world.accept('next');
    expect(await world.run('next')).toMatchObject({ state: 'failed', reason: { code: 'OutputExists' } });
    expect(await world.text(OUTPUT)).toBe(numberedOutput(1));
  });
});

import { describe, expect, it } from 'vitest';
import { jobWorld, numbered, numberedOutput, planned } from '../../support/job-world.ts';
import { takeJob } from '../../../shared/steps/plan-job.ts';
import { scoreSlice } from '../../../shared/steps/score-slice.ts';
import { cancelJob } from '../../../shared/steps/cancel-job.ts';

/** Histories that break lesser designs (durable-design, storage-security). */
describe('slices that run twice', () => {
  it('gives each row once when the same slice runs twice at once with different cuts, whichever answer is heard', async () => {
    for (const heard of [0, 1]) {
      const world = jobWorld({ sliceMs: 60_000 });
      await world.put(numbered(6));
      await world.accept('job');
      await planned(world, 'job');
      // One copy is cut by the clock after its first mini-batch, the other runs to the end.
      const short = world.process({ sliceMs: 0 });
      const long = world.process({ jobs: { ...world.deps.jobs, progress: async () => [] } });
      const copies = await Promise.all([sliceWith(short, 'job'), sliceWith(long, 'job')]);
      expect(copies.map((copy) => copy.position)).toEqual([1, 6]);
      let at = copies[heard];
      while (at && !at.done) at = await world.slice('job', 0, at);
      expect(await world.commit('job', [{ ok: true, receipt: at?.receipt ?? null, reason: null }])).toEqual({
        state: 'completed',
      });
      expect(await world.text('out/predictions.csv')).toBe(numberedOutput(6));
    }
  });

  it('loses no rows when the answer of a ghost slice is accepted', async () => {
    const world = jobWorld({ sliceMs: 0 });
    await world.put(numbered(5));
    await world.accept('job');
    await planned(world, 'job');
    // Copy A reaches 1 and is what the lane remembers; the ghost goes on from copy B, which had looked before A was done, and
    // its answer is taken for A's.
    const a = await world.slice('job', 0);
    const b = await sliceWith(world.process({ jobs: { ...world.deps.jobs, progress: async () => [] } }), 'job');
    const ghost = await world.slice('job', 0, b);
    let at = ghost;
    while (!at.done) at = await world.slice('job', 0, at);
    expect(a.receipt).not.toBe(b.receipt);
    await world.commit('job', [{ ok: true, receipt: at.receipt, reason: null }]);
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(5));
    expect(await world.record('job')).toMatchObject({ state: 'completed', totals: { rows: 5, filesDone: 5 } });
  });

  it('refuses lanes whose receipts leave a gap, and writes nothing', async () => {
    const world = jobWorld({ sliceMs: 0 });
    await world.put(numbered(4));
    await world.accept('job');
    await planned(world, 'job');
    const first = await world.slice('job', 0);
    expect(await world.commit('job', [{ ok: true, receipt: first.receipt, reason: null }])).toEqual({
      state: 'failed',
    });
    expect(await world.record('job')).toMatchObject({
      reason: { code: 'ReceiptsBroken', message: 'lane 0: mini-batches 1 to 4 are missing' },
    });
    expect(await world.text('out/predictions.csv')).toBeUndefined();
  });

  it('answers how the job ended when the fan-in runs again', async () => {
    const world = jobWorld();
    await world.put(numbered(2));
    await world.accept('job');
    await planned(world, 'job');
    const lanes = [await world.lane('job', 0)];
    expect(await world.commit('job', lanes)).toEqual({ state: 'completed' });
    expect(await world.commit('job', lanes)).toEqual({ state: 'completed' });
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(2));
  });

  it('is over for an orchestration that was started again under a finished or taken name', async () => {
    const world = jobWorld();
    await world.put(numbered(1));
    await world.accept('job');
    await world.run('job');
    expect(await takeJob(world.deps, { job: 'job', execution: 'second' })).toEqual({ over: true });
    await world.accept('other');
    expect(await takeJob(world.deps, { job: 'other', execution: 'first' })).toEqual({ over: false });
    expect(await takeJob(world.deps, { job: 'other', execution: 'first' })).toEqual({ over: false });
    expect(await takeJob(world.deps, { job: 'other', execution: 'second' })).toEqual({ over: true });
  });
});

describe('lanes that fail', () => {
  it('commits nothing when one lane fails while the others run to their end, and says why', async () => {
    const world = jobWorld();
    await world.put(numbered(6));
    await world.accept('job', { instanceCount: 3 });
    expect(await planned(world, 'job')).toBe(3);
    const reason = { code: 'ScoringUnavailable', message: 'stageBlock: storage answered 503 ServerBusy' };
    const done = await world.lane('job', 0);
    await world.deps.jobs.stop('job', reason);
    const stopped = await world.lane('job', 2);
    expect(stopped).toMatchObject({ ok: false, receipt: null, reason });
    expect(await world.commit('job', [done, { ok: false, receipt: null, reason }, stopped])).toEqual({
      state: 'failed',
    });
    expect(await world.record('job')).toMatchObject({
      state: 'failed',
      reason,
      totals: { files: 6, filesDone: 2, rows: 2 },
    });
    expect(await world.text('out/predictions.csv')).toBeUndefined();
  });

  it('is cancelled between mini-batches, commits nothing and frees the path', async () => {
    const world = jobWorld({ sliceMs: 0 });
    await world.put(numbered(4));
    await world.accept('job');
    await planned(world, 'job');
    const at = await world.slice('job', 0);
    const orchestrations = { start: async () => undefined, state: async () => 'active' as const };
    expect(await cancelJob({ ...world.deps, orchestrations }, 'job')).toMatchObject({ status: 'CancelRequested' });
    const stopped = await world.slice('job', 0, at);
    expect(stopped).toMatchObject({ ok: false, position: 1, reason: { code: 'Canceled' } });
    expect(await world.commit('job', [{ ok: false, receipt: stopped.receipt, reason: stopped.reason }])).toEqual({
      state: 'canceled',
    });
    expect(await world.text('out/predictions.csv')).toBeUndefined();
    await world.accept('next');
    expect(await world.run('next')).toMatchObject({ state: 'completed' });
  });
});

describe('one output path', () => {
  it('belongs to the first of two jobs with equal plans; the second fails before a row is scored', async () => {
    const world = jobWorld();
    await world.put(numbered(3));
    await world.accept('first');
    await world.accept('second');
    await planned(world, 'first');
    expect(await world.run('second')).toMatchObject({
      state: 'failed',
      reason: {
        code: 'OutputReserved',
        message: 'Job first is writing to the same output path: out/predictions.csv in datastore store.',
      },
    });
    expect(world.engine.seen).toEqual([]);
    await world.commit('first', [await world.lane('first', 0)]);
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(3));
  });

  it('never shares a block between two jobs with equal plans', async () => {
    const world = jobWorld();
    await world.put(numbered(2));
    await world.accept('first');
    await planned(world, 'first');
    const lanes = [await world.lane('first', 0)];
    // Another app stages under the same path: its blocks must not become part of our commit.
    await world.data.stageBlock(
      { container: 'data', name: 'out/predictions.csv' },
      Buffer.from('x'.repeat(49)).toString('base64'),
      new Uint8Array([88]),
    );
    await world.commit('first', lanes);
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(2));
  });

  it('fails at once when a stranger has staged a block of another id length on it', async () => {
    const world = jobWorld();
    await world.put(numbered(2));
    await world.data.stageBlock(
      { container: 'data', name: 'out/predictions.csv' },
      Buffer.from('short').toString('base64'),
      new Uint8Array([1]),
    );
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'failed', reason: { code: 'OutputBlocked' } });
    expect(world.engine.seen).toEqual([]);
  });

  it('fails with the first error when a stranger has staged a block of another id length where the errors go', async () => {
    const world = jobWorld();
    await world.put({ ...numbered(2), 'in/x.csv': 'not csv' });
    const ref = { container: 'data', name: 'out/predictions.csv.errors.jsonl' };
    await world.data.stageBlock(ref, Buffer.from('short').toString('base64'), new Uint8Array([1]));
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'failed', reason: { code: 'OutputBlocked' } });
    expect(await world.text('out/predictions.csv')).toBeUndefined();
  });

  it('is not written at all for errors that there are not', async () => {
    const touched: string[] = [];
    const world = jobWorld({
      faulty: (blobs) => ({
        ...blobs,
        stageBlock: (ref, ...of) => (touched.push(ref.name), blobs.stageBlock(ref, ...of)),
        commitBlocks: (ref, ...of) => (touched.push(ref.name), blobs.commitBlocks(ref, ...of)),
      }),
    });
    await world.put(numbered(2));
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'completed', errorsUri: null });
    expect(new Set(touched)).toEqual(new Set(['out/predictions.csv']));
  });

  it('goes to one of two jobs that are planned at once', async () => {
    const world = jobWorld();
    await world.put(numbered(2));
    for (const name of ['one', 'two']) await world.accept(name);
    const records = await Promise.all(['one', 'two'].map((name) => world.run(name)));
    expect(records.map(({ state }) => state).sort()).toEqual(['completed', 'failed']);
    expect(records.find(({ state }) => state === 'failed')).toMatchObject({
      reason: { code: expect.stringMatching(/^Output(Reserved|Exists)$/) as string },
    });
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(2));
  });

  it('fails when somebody else wrote the file while the job ran, and leaves that file alone', async () => {
    const world = jobWorld();
    await world.put(numbered(2));
    await world.accept('job');
    await planned(world, 'job');
    const lanes = [await world.lane('job', 0)];
    await world.put({ 'out/predictions.csv': 'theirs' });
    await world.commit('job', lanes);
    expect(await world.record('job')).toMatchObject({ state: 'failed', reason: { code: 'OutputExists' } });
    expect(await world.text('out/predictions.csv')).toBe('theirs');
  });
});

type Deps = ReturnType<typeof jobWorld>['deps'];

async function sliceWith(deps: Deps, job: string) {
  return scoreSlice(deps, { job, lane: 0, position: null, receipt: null });
}

import { describe, expect, it } from 'vitest';
import { withFaults, type FaultPlan } from '../../support/faulty-blobs.ts';
import { jobWorld, numbered, numberedOutput, planned } from '../../support/job-world.ts';
import { takeJob } from '../../../shared/steps/plan-job.ts';
import { cancelJob } from '../../../shared/steps/cancel-job.ts';
import { settleJob } from '../../../shared/steps/settle-job.ts';
import type { Blobs } from '../../../shared/storage/ports.ts';

/** Histories that break lesser designs (durable-design, storage-security). */
describe('slices that run twice', () => {
  it('gives each row once when the same slice runs twice at once with different cuts, whichever answer is heard', async () => {
    for (const heard of [0, 1]) {
      const world = jobWorld({ sliceMs: 60_000 });
      await world.put(numbered(6));
      await world.accept('job');
      await planned(world, 'job');
      // One copy is cut by the clock after its first mini-batch, the other runs to the end.
      const short = { ...world, deps: { ...world.deps, sliceMs: 0 } };
      const copies = await Promise.all([sliceWith(short.deps, 'job'), sliceWith(world.deps, 'job')]);
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
    // Copy A reaches 1 and is what the lane remembers; the ghost goes on from copy B at 2, and its answer is taken for A's.
    const a = await world.slice('job', 0);
    const b = await world.slice('job', 0);
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

describe('faults of storage', () => {
  const run = async (plans: FaultPlan[], files: Record<string, string>, settings = {}) => {
    const faults: { made?: ReturnType<typeof withFaults> } = {};
    const world = jobWorld({ faulty: (blobs: Blobs) => (faults.made = withFaults(blobs, plans)) });
    await world.put(files);
    await world.accept('job', settings);
    const record = await world.run('job');
    expect(faults.made?.unfired()).toEqual([]);
    return { world, record, output: await world.text('out/predictions.csv') };
  };

  it('takes a commit whose answer was lost for what it was: done once', async () => {
    const { record, output } = await run([{ operation: 'commitBlocks', fault: { kind: 'loseAnswer' } }], numbered(3));
    expect(record).toMatchObject({ state: 'completed', totals: { rows: 3 } });
    expect(output).toBe(numberedOutput(3));
  });

  it('commits again when storage was busy', async () => {
    const { record, output } = await run(
      [{ operation: 'commitBlocks', times: 2, fault: { kind: 'refuse', status: 503, code: 'ServerBusy' } }],
      numbered(2),
    );
    expect(record.state).toBe('completed');
    expect(output).toBe(numberedOutput(2));
  });

  it('never scores again silently when the output was committed and removed at once', async () => {
    const world = jobWorld({
      faulty: (blobs) => ({
        ...blobs,
        commitBlocks: async (ref, ids, options) => {
          await blobs.commitBlocks(ref, ids, options);
          await blobs.remove(ref);
          return blobs.commitBlocks(ref, ids, options);
        },
      }),
    });
    await world.put(numbered(1));
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'failed', reason: { code: 'OutputLost' } });
  });

  it('finds a committed output when the fan-in died before it could say so', async () => {
    const world = jobWorld();
    await world.put({ ...numbered(2), 'in/bad.csv': 'not csv' });
    await world.accept('job');
    await planned(world, 'job');
    const lanes = [await world.lane('job', 0)];
    const dead = {
      ...world.deps.jobs,
      release: () => Promise.reject(new Error('killed')),
      transition: died(world.deps.jobs.transition),
    };
    const { commitJob } = await import('../../../shared/steps/commit-job.ts');
    await expect(
      commitJob({ ...world.deps, jobs: dead }, { job: 'job', execution: 'the-execution', lanes }),
    ).rejects.toThrow('killed');
    await settleJob(world.deps, { job: 'job', reason: { code: 'InfrastructureFailure', message: 'killed' } });
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      totals: { files: 3, filesDone: 2, filesFailed: 1, rows: 2 },
    });
  });

  it('fails the slice, not the mini-batch, when staging fails; a second attempt leaves each row once', async () => {
    const plan: FaultPlan = {
      operation: 'stageBlock',
      nth: 3,
      fault: { kind: 'refuse', status: 503, code: 'ServerBusy' },
    };
    const world = jobWorld({ faulty: (blobs) => withFaults(blobs, [plan]), blockBytes: 8 });
    await world.put(numbered(4));
    await world.accept('job');
    await planned(world, 'job');
    await expect(world.lane('job', 0)).rejects.toThrow('503 ServerBusy');
    await world.commit('job', [await world.lane('job', 0)]);
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(4));
  });

  it('fails a file that changed after the plan, and scores the others', async () => {
    const world = jobWorld();
    await world.put(numbered(3));
    await world.accept('job', { miniBatchSize: 10 });
    await planned(world, 'job');
    await world.put({ 'in/f001.csv': 'another\n' });
    await world.commit('job', [await world.lane('job', 0)]);
    expect(await world.text('out/predictions.csv')).toBe('file,row,value\nf000.csv,0,v0\nf002.csv,0,v2\n');
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      failures: [
        {
          file: 'f001.csv',
          code: 'InputChanged',
          reason: 'The file was changed after the job had been planned.',
          attempts: 1,
        },
      ],
    });
  });

  it('fails a file that was deleted after the plan', async () => {
    const world = jobWorld();
    await world.put(numbered(2));
    await world.accept('job');
    await planned(world, 'job');
    await world.data.remove({ container: 'data', name: 'in/f000.csv' });
    await world.commit('job', [await world.lane('job', 0)]);
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      failures: [{ file: 'f000.csv', code: 'InputChanged' }],
    });
  });

  it('tries a mini-batch again when a read fails, and counts the tries', async () => {
    const { record, output } = await run(
      [{ operation: 'read', times: 2, fault: { kind: 'refuse', status: 503, code: 'ServerBusy' } }],
      numbered(2),
      { maxRetries: 3 },
    );
    expect(record).toMatchObject({ state: 'completed', failures: [] });
    expect(output).toBe(numberedOutput(2));
  });

  it('takes a mini-batch apart that keeps failing: only the bad files fail', async () => {
    const { record, output } = await run(
      [
        {
          operation: 'read',
          name: /f001/,
          times: 99,
          fault: { kind: 'refuse', status: 403, code: 'AuthorizationFailure' },
        },
      ],
      numbered(4),
      { miniBatchSize: 4, maxRetries: 2 },
    );
    expect(output).toBe('file,row,value\nf000.csv,0,v0\nf002.csv,0,v2\nf003.csv,0,v3\n');
    expect(record).toMatchObject({
      state: 'completed',
      totals: { filesDone: 3, filesFailed: 1, rows: 3 },
      failures: [
        {
          file: 'f001.csv',
          code: 'ReadFailed',
          attempts: 3,
          reason: 'read in/f001.csv: storage answered 403 AuthorizationFailure (request faulty)',
        },
      ],
    });
  });

  it('takes an engine crash for the mini-batch and finds the file that caused it', async () => {
    const world = jobWorld();
    await world.put({ 'in/a.csv': '1\n', 'in/b.csv': '2\ncrash\n', 'in/c.csv': '3\n' });
    await world.accept('job', { miniBatchSize: 3, maxRetries: 2 });
    expect(await world.run('job')).toMatchObject({
      failures: [{ file: 'b.csv', code: 'ScoringFailed', reason: 'the engine crashed', attempts: 3 }],
    });
    expect(await world.text('out/predictions.csv')).toBe('file,row,value\na.csv,0,1\nc.csv,0,3\n');
  });

  it('really stops a mini-batch whose download stalls', async () => {
    const { record, output } = await run(
      [{ operation: 'read', name: /f000/, times: 99, fault: { kind: 'stall' } }],
      numbered(2),
      {
        maxRetries: 2,
        timeoutSeconds: 0.05,
      },
    );
    expect(output).toBe('file,row,value\nf001.csv,0,v1\n');
    expect(record).toMatchObject({
      failures: [
        {
          file: 'f000.csv',
          code: 'Timeout',
          attempts: 2,
          reason: 'The mini-batch took longer than its timeout of 0.05 s.',
        },
      ],
    });
  });

  it('fails the job with one clear line when the input may not be listed', async () => {
    const world = jobWorld({
      faulty: (blobs) =>
        withFaults(blobs, [
          { operation: 'list', fault: { kind: 'refuse', status: 403, code: 'AuthorizationFailure' } },
        ]),
    });
    await world.put(numbered(1));
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({
      state: 'failed',
      reason: { code: 'StorageRefused', message: expect.stringContaining('403 AuthorizationFailure') as string },
    });
  });
});

type Deps = ReturnType<typeof jobWorld>['deps'];

async function sliceWith(deps: Deps, job: string) {
  const { scoreSlice } = await import('../../../shared/steps/score-slice.ts');
  return scoreSlice(deps, { job, lane: 0, position: null, receipt: null });
}

/** A transition that dies when it would end the job. */
function died(transition: Deps['jobs']['transition']): Deps['jobs']['transition'] {
  return (name, next) =>
    transition(name, (record) => {
      const moved = next(record);
      if (moved?.state === 'completed') throw new Error('killed');
      return moved;
    });
}

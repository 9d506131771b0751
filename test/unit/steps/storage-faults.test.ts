import { describe, expect, it } from 'vitest';
import { commitJob } from '../../../shared/steps/commit-job.ts';
import { settleJob } from '../../../shared/steps/settle-job.ts';
import type { MiniBatchUnit } from '../../../shared/domain/mini-batch-unit.ts';
import type { ScoringSettings } from '../../../shared/domain/settings.ts';
import { StorageFault, type Blobs } from '../../../shared/storage/ports.ts';
import { withFaults, type FaultPlan } from '../../support/faulty-blobs.ts';
import { jobWorld, numbered, planned, SHAPES } from '../../support/job-world.ts';

async function run(
  plans: FaultPlan[],
  files: Record<string, string>,
  settings: Partial<ScoringSettings> = {},
  unit: MiniBatchUnit = 'files',
) {
  const faults: { made?: ReturnType<typeof withFaults> } = {};
  const world = jobWorld({ faulty: (blobs: Blobs) => (faults.made = withFaults(blobs, plans)), unit });
  await world.put(files);
  await world.accept('job', settings);
  const record = await world.run('job');
  expect(faults.made?.unfired()).toEqual([]);
  return { world, record, output: await world.text('out/predictions.csv') };
}

describe.each(SHAPES)('faults of storage, in mini-batches of $unit', ({ unit, input, output: expected, planReads }) => {
  it('takes a commit whose answer was lost for what it was: done once', async () => {
    const plan: FaultPlan = { operation: 'commitBlocks', fault: { kind: 'loseAnswer' } };
    const { record, output } = await run([plan], input(3), {}, unit);
    expect(record).toMatchObject({ state: 'completed', totals: { rows: 3 } });
    expect(output).toBe(expected(3));
  });

  it('commits again when storage was busy', async () => {
    const { record, output } = await run(
      [{ operation: 'commitBlocks', times: 2, fault: { kind: 'refuse', status: 503, code: 'ServerBusy' } }],
      input(2),
      {},
      unit,
    );
    expect(record.state).toBe('completed');
    expect(output).toBe(expected(2));
  });

  it('fails the slice, not the mini-batch, when staging fails; a second attempt leaves each row once', async () => {
    const plan: FaultPlan = {
      operation: 'stageBlock',
      nth: 3,
      fault: { kind: 'refuse', status: 503, code: 'ServerBusy' },
    };
    const world = jobWorld({ faulty: (blobs) => withFaults(blobs, [plan]), blockBytes: 8, unit });
    await world.put(input(4));
    await world.accept('job');
    await planned(world, 'job');
    await expect(world.lane('job', 0)).rejects.toThrow('503 ServerBusy');
    await world.commit('job', [await world.lane('job', 0)]);
    expect(await world.text('out/predictions.csv')).toBe(expected(4));
  });

  it('tries a mini-batch again when a read fails, and counts the tries', async () => {
    const { record, output } = await run(
      [
        {
          operation: 'read',
          nth: planReads + 1,
          times: 2,
          fault: { kind: 'refuse', status: 500, code: 'InternalError' },
        },
      ],
      input(2),
      { maxRetries: 3 },
      unit,
    );
    expect(record).toMatchObject({ state: 'completed', failures: [] });
    expect(output).toBe(expected(2));
  });

  it('fails the slice, not the mini-batch, when storage stays too busy for a read', async () => {
    let busy = false;
    const away = new StorageFault('read', 503, 'ServerBusy');
    const faulty = (blobs: Blobs): Blobs => ({
      ...blobs,
      read: (ref, options) => (busy ? Promise.reject(away) : blobs.read(ref, options)),
    });
    const world = jobWorld({ faulty, unit });
    await world.put(input(3));
    await world.accept('job', { maxRetries: 1 });
    await planned(world, 'job');
    busy = true;
    for (let attempt = 0; attempt < 4; attempt++) await expect(world.lane('job', 0)).rejects.toBe(away);
    busy = false;
    expect(await world.commit('job', [await world.lane('job', 0)])).toEqual({ state: 'completed' });
    expect(await world.record('job')).toMatchObject({ failures: [] });
    expect(await world.text('out/predictions.csv')).toBe(expected(3));
  });
});

describe('faults of storage', () => {
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
    await expect(
      commitJob({ ...world.deps, jobs: dead }, { job: 'job', execution: 'the-execution', lanes }),
    ).rejects.toThrow('killed');
    await settleJob(world.deps, { job: 'job', reason: { code: 'InfrastructureFailure', message: 'killed' } });
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      totals: { files: 3, filesDone: 2, filesFailed: 1, rows: 2 },
    });
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

/** A transition that dies when it would end the job. */
function died(transition: Deps['jobs']['transition']): Deps['jobs']['transition'] {
  return (name, next) =>
    transition(name, (record) => {
      const moved = next(record);
      if (moved?.state === 'completed') throw new Error('killed');
      return moved;
    });
}

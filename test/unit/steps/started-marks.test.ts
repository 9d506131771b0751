import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BEAT_MS } from '../../../shared/steps/lane-report.ts';
import { scoreSlice, type SliceAnswer } from '../../../shared/steps/score-slice.ts';
import { jobWorld, numbered, numberedOutput, planned, runLane, SHAPES } from '../../support/job-world.ts';
import { deliver, died, mortalCode, mortalEngine, TRIES } from '../../support/mortal-lane.ts';

const without = (count: number, ...gone: number[]): string =>
  numberedOutput(count)
    .split('\n')
    .filter((line) => !gone.some((i) => line.endsWith(`,v${i}`)))
    .join('\n');

describe.each(SHAPES)('a mini-batch that kills its process, of $unit', (shape) => {
  it.each([
    [2, 1],
    [5, 0],
    [5, 3],
    [9, 8],
  ])('is found among %i (number %i) and fails alone', async (count, bad) => {
    const world = jobWorld({ unit: shape.unit });
    await world.put(shape.input(count));
    await world.accept('job');
    await planned(world, 'job');
    const { deaths, most, result } = await deliver(world, [shape.seen(bad)]);
    expect(deaths).toBeLessThanOrEqual(4);
    expect(most).toBeLessThanOrEqual(TRIES);
    await world.commit('job', [result]);
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      totals: { files: shape.files(count), filesFailed: 1, rows: count - 1 },
      failures: [{ code: 'ProcessDied', attempts: 3 }],
    });
    const rows = shape
      .output(count)
      .split('\n')
      .filter((line) => !line.endsWith(`,v${bad}`));
    expect(await world.text('out/predictions.csv')).toBe(rows.join('\n'));
  });
});

describe('a file that kills its process', () => {
  it.each([
    [1, 5, 3],
    [3, 9, 0],
    [3, 9, 4],
    [10, 10, 9],
  ])('is found in mini-batches of %i among %i files (number %i) and fails alone', async (miniBatchSize, files, bad) => {
    const world = jobWorld();
    await world.put(numbered(files));
    await world.accept('job', { miniBatchSize });
    await planned(world, 'job');
    const name = `f00${bad}.csv`;
    const { deaths, most, result } = await deliver(world, [name]);
    expect(deaths).toBeLessThanOrEqual(4);
    expect(most).toBeLessThanOrEqual(TRIES);
    await world.commit('job', [result]);
    expect(await world.record('job')).toMatchObject({
      state: files === 1 ? 'failed' : 'completed',
      totals: { files, filesDone: files - 1, filesFailed: 1, rows: files - 1 },
      failures: [died(name, 3)],
    });
    if (files > 1) expect(await world.text('out/predictions.csv')).toBe(without(files, bad));
  });

  it('is found beside others of its kind, in one mini-batch and in several', async () => {
    const world = jobWorld();
    await world.put(numbered(9));
    await world.accept('job', { miniBatchSize: 3 });
    await planned(world, 'job');
    const { most, result } = await deliver(world, ['f000.csv', 'f002.csv', 'f007.csv']);
    expect(most).toBeLessThanOrEqual(TRIES);
    await world.commit('job', [result]);
    expect(await world.record('job')).toMatchObject({ totals: { filesDone: 6, filesFailed: 3, rows: 6 } });
    expect(await world.text('out/predictions.csv')).toBe(without(9, 0, 2, 7));
  });

  it("is found among the files of a user's code", async () => {
    // What the dead left stays here: it is their process's folder that goes.
    const workFolder = await mkdtemp(join(tmpdir(), 'started-marks-'));
    try {
      const world = jobWorld({ workFolder });
      await world.put(numbered(7));
      await world.accept('job', { miniBatchSize: 3 });
      await planned(world, 'job');
      const { most, result } = await deliver(world, ['f001.csv', 'f005.csv'], mortalCode);
      expect(most).toBeLessThanOrEqual(TRIES);
      await world.commit('job', [result]);
      expect(await world.record('job')).toMatchObject({
        state: 'completed',
        totals: { files: 7, filesDone: 5, filesFailed: 2, rows: 5 },
        failures: [died('f001.csv', 3), died('f005.csv', 3)],
      });
      const rows = [0, 2, 3, 4, 6].map((i) => `f00${i}.csv v${i}`);
      expect(await world.text('out/predictions.csv')).toBe(['prediction', ...rows, ''].join('\n'));
    } finally {
      await rm(workFolder, { recursive: true });
    }
  });

  it('counts for the error threshold', async () => {
    const world = jobWorld();
    await world.put(numbered(3));
    await world.accept('job', { errorThreshold: 0 });
    await planned(world, 'job');
    const { result } = await deliver(world, ['f001.csv']);
    expect(result).toMatchObject({ ok: false, reason: { code: 'ErrorThresholdExceeded' } });
  });

  it('is not charged to a neighbour in the same process', async () => {
    const world = jobWorld();
    await world.put(numbered(8));
    await world.accept('job', { instanceCount: 2, miniBatchSize: 2 });
    expect(await planned(world, 'job')).toBe(2);
    // Both lanes run in one process; when it dies both are delivered again, until both have ended.
    const at: Partial<Record<number, SliceAnswer>> = {};
    for (let round = 0; !(at[0]?.done && at[1]?.done); round++) {
      if (round > 30) throw new Error('it dies for ever');
      const { engine, death } = mortalEngine(['f001.csv']);
      const process = world.process({ engine: async () => ({ engine, release() {} }) });
      const lanes = [0, 1].map(async (lane) => {
        if (at[lane]?.done) return;
        const { position = null, receipt = null } = at[lane] ?? {};
        at[lane] = await scoreSlice(process, { job: 'job', lane, position, receipt });
      });
      await Promise.race([Promise.all(lanes), death]);
    }
    await world.commit(
      'job',
      [0, 1].map((lane) => ({ ok: true, receipt: at[lane]?.receipt ?? null, reason: null })),
    );
    expect(await world.record('job')).toMatchObject({
      totals: { filesDone: 7, filesFailed: 1 },
      failures: [{ file: 'f001.csv' }],
    });
    expect(await world.text('out/predictions.csv')).toBe(without(8, 1));
  });
});

describe('a slice', () => {
  it('costs one mark, whatever its mini-batches', async () => {
    const marks: string[] = [];
    const world = jobWorld();
    await world.put(numbered(6));
    await world.accept('job');
    await planned(world, 'job');
    const jobs = {
      ...world.deps.jobs,
      markStart: (job: string, part: string) => (marks.push(part), world.deps.jobs.markStart(job, part)),
    };
    await runLane(world.process({ jobs }), { job: 'job', lane: 0 }, null);
    expect(marks).toEqual(['00000-000000000']);
  });

  it('that failed by an exception leaves no suspicion', async () => {
    const world = jobWorld();
    await world.put(numbered(2));
    await world.accept('job');
    await planned(world, 'job');
    const engine = () => Promise.reject(new Error('the model is away'));
    for (let i = 0; i < 5; i++)
      await expect(
        scoreSlice(world.process({ engine }), { job: 'job', lane: 0, position: null, receipt: null }),
      ).rejects.toThrow('the model is away');
    expect(await world.deps.jobs.markStart('job', '00000-000000000')).toBe(true);
  });

  it('that is delivered again after it had ended answers what it reached', async () => {
    const world = jobWorld();
    await world.put(numbered(3));
    await world.accept('job');
    await planned(world, 'job');
    const first = await world.slice('job', 0);
    expect(await world.slice('job', 0)).toEqual(first);
    expect(world.engine.seen).toHaveLength(3);
  });

  it('delivered twice at once is scored on both sides and linked once', async () => {
    const world = jobWorld();
    await world.put(numbered(4));
    await world.accept('job');
    await planned(world, 'job');
    const lanes = await Promise.all([1, 2].map(() => runLane(world.process(), { job: 'job', lane: 0 }, null)));
    await world.commit('job', lanes.slice(1));
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(4));
  });

  describe('that takes long', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    it('shows that it lives over one mini-batch', async () => {
      const world = jobWorld();
      await world.put(numbered(1));
      await world.accept('job');
      await planned(world, 'job');
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const { engine, death } = mortalEngine(['f000.csv']);
      const endless = world.process({ engine: async () => ({ engine, release() {} }) });
      void scoreSlice(endless, { job: 'job', lane: 0, position: null, receipt: null });
      await death;
      expect(await world.deps.jobs.progress('job')).toEqual([]);
      vi.advanceTimersByTime(BEAT_MS);
      while ((await world.deps.jobs.progress('job')).length === 0) await turn();
      expect(await world.deps.jobs.progress('job')).toMatchObject([{ lane: 0, position: 0, filesDone: 0, rows: 0 }]);
    });

    it('shows that it lives while what it scores with is made', async () => {
      const world = jobWorld();
      await world.put(numbered(1));
      await world.accept('job');
      await planned(world, 'job');
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const building = Promise.withResolvers<never>();
      const asked = Promise.withResolvers<void>();
      const engine = (): Promise<never> => {
        asked.resolve();
        return building.promise;
      };
      const slice = scoreSlice(world.process({ engine }), { job: 'job', lane: 0, position: null, receipt: null });
      await asked.promise;
      vi.advanceTimersByTime(BEAT_MS);
      while ((await world.deps.jobs.progress('job')).length === 0) await turn();
      expect(await world.deps.jobs.progress('job')).toMatchObject([{ lane: 0, position: 0, filesDone: 0, rows: 0 }]);
      building.reject(new Error('no package index'));
      await expect(slice).rejects.toThrow('no package index');
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});

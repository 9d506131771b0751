import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commitJob } from '../../../shared/steps/commit-job.ts';
import { salvageJob } from '../../../shared/steps/salvage-job.ts';
import type { Blobs } from '../../../shared/storage/ports.ts';
import type { CodeCall } from '../../support/code-engine.ts';
import { codeWorlds, errorsOf, names, withExtensions, type Run } from '../../support/code-world.ts';
import { fakeOrchestrations } from '../../support/fake-orchestrations.ts';
import { withFaults, type FaultPlan } from '../../support/faulty-blobs.ts';
import { numbered, planned, runLane, type JobWorld } from '../../support/job-world.ts';

const worlds = codeWorlds();

const SUMMARY = { outputAction: 'SummaryOnly' } as const;

const write = async ({ outputFolder }: CodeCall, name: string, text: string): Promise<void> => {
  const path = join(outputFolder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
};

/** Writes a file for each input file and answers the files' paths, as Azure ML's examples do. */
const writing: Run = async (call) => {
  for (const { name } of call.files) await write(call, `made/${name}.txt`, `of ${name}`);
  return { rows: call.files.map(({ path }) => path) };
};

/** What lies in the job's output folder, by name. */
async function written(world: JobWorld): Promise<Record<string, string | undefined>> {
  const found: Record<string, string | undefined> = {};
  for await (const { name } of world.data.list('data', { prefix: 'out/' }))
    found[name.slice(4)] = await world.text(name);
  return found;
}

const file = (i: number): string => `f${String(i).padStart(3, '0')}.csv`;

/** What `writing` makes of files of `numbered`, beside the list of them. */
const made = (...files: number[]): Record<string, string> => ({
  ...Object.fromEntries(files.map((i) => [`made/${file(i)}.txt`, `of ${file(i)}`])),
  'predictions.csv': `file\n${files.map((i) => `${file(i)}\n`).join('')}`,
});

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a SummaryOnly job', () => {
  it.each([1, 5, 12])('puts what the code wrote for %i files beside the list of them', async (files) => {
    const world = worlds.world(writing, { sliceMs: 0 });
    await world.put(numbered(files));
    await world.accept('job', { ...SUMMARY, miniBatchSize: 2, instanceCount: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'completed',
      totals: { files, filesDone: files, filesFailed: 0, rows: files },
    });
    expect(await written(world)).toEqual(made(...upTo(files)));
    const head = await world.data.head({ container: 'data', name: `out/made/${file(0)}.txt` });
    expect(head?.metadata).toMatchObject({ batchpoint_job: 'job' });
  });

  it('lists bare names in the format azureml, and only those that were processed when results are missing', async () => {
    const world = worlds.world(async ({ files }) => ({
      rows: names(files).includes('a b.csv') ? [files[1]?.path ?? '', 'c.csv'] : [basename(files[0]?.path ?? ''), '?'],
    }));
    await world.put({
      'in/a b.csv': '1',
      'in/b.csv': '1',
      'in/c.csv': '1',
      'in/x.csv': '1',
      'in/y.csv': '1',
      'in/z.csv': '1',
    });
    await world.accept('job', { ...SUMMARY, miniBatchSize: 3 }, withExtensions({ outputFormat: 'azureml' }));
    expect(await world.run('job')).toMatchObject({ totals: { filesDone: 4, filesFailed: 2, rows: 3 } });
    expect(await world.text('out/predictions.csv')).toBe('b.csv\nc.csv\nx.csv\n');
    const reason = 'run() returned 2 results for 3 files.';
    expect(await errorsOf(world)).toEqual([
      { file: 'a b.csv', code: 'ResultMissing', reason, attempts: 1 },
      { file: 'x.csv … z.csv', code: 'ResultMissing', reason, attempts: 1 },
    ]);
  });

  it('keeps files that are empty and files of many blocks, in deep folders', async () => {
    const large = Array.from({ length: 3_000 }, (_, i) => `line ${i}\n`)
      .join('')
      .repeat(100);
    const world = worlds.world(
      async (call) => {
        await write(call, 'empty', '');
        await write(call, 'a/b/c/large.txt', large);
        return { rows: ['done'] };
      },
      { blockBytes: 10_000 },
    );
    await world.put(numbered(1));
    await world.accept('job', SUMMARY);
    await world.run('job');
    const found = await written(world);
    expect(Object.keys(found)).toEqual(['a/b/c/large.txt', 'empty', 'predictions.csv']);
    expect(found['a/b/c/large.txt'] === large).toBe(true);
    expect(found['empty']).toBe('');
  });

  it('has nothing of tries that failed', async () => {
    let calls = 0;
    const world = worlds.world(async (call) => {
      calls++;
      await write(call, `of try ${calls}`, String(calls));
      if (calls < 3) throw new Error('not yet');
      return { rows: ['done'] };
    });
    await world.put(numbered(1));
    await world.accept('job', SUMMARY);
    await world.run('job');
    expect(await written(world)).toEqual({ 'of try 3': '3', 'predictions.csv': `file\n${file(0)}\n` });
  });

  it.each([
    ['one slice', 60_000],
    ['two slices', 0],
  ])('fails when two mini-batches of %s wrote one file, and names both', async (_, sliceMs) => {
    const world = worlds.world(
      async (call) => {
        await write(call, 'result.txt', 'x');
        return { rows: names(call.files) };
      },
      { sliceMs },
    );
    await world.put(numbered(4));
    await world.accept('job', { ...SUMMARY, miniBatchSize: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'failed',
      reason: {
        code: 'OutputFileClash',
        message:
          "Two mini-batches wrote the file result.txt: that of f000.csv … f001.csv and that of f002.csv … f003.csv. Give each file a name of its own, for example its input's.",
      },
    });
    expect(await written(world)).toEqual({});
  });

  it.each<[string, (call: CodeCall) => Promise<void>, string, string]>([
    ['of the output', (call) => write(call, 'predictions.csv', 'x'), 'OutputFileInvalid', "the job's own file"],
    [
      'of the errors file',
      (call) => write(call, 'predictions.csv.errors.jsonl', 'x'),
      'OutputFileInvalid',
      "the job's own file",
    ],
    ['that no blob can have', (call) => write(call, 'a\\b', 'x'), 'OutputFileInvalid', 'holds a backslash'],
    [
      'of a link',
      ({ outputFolder }) => symlink('/etc/hostname', join(outputFolder, 'link')),
      'OutputFileInvalid',
      'neither',
    ],
    ['that exists', (call) => write(call, 'mine.txt', 'x'), 'OutputExists', 'out/mine.txt'],
  ])('fails when the code writes a file under a name %s', async (_, act, code, message) => {
    const world = worlds.world(async (call) => {
      await act(call);
      return { rows: ['done'] };
    });
    await world.put({ ...numbered(1), 'out/mine.txt': 'mine' });
    await world.accept('job', SUMMARY);
    const record = await world.run('job');
    expect(record).toMatchObject({ state: 'failed', reason: { code } });
    expect('reason' in record && record.reason.message).toContain(message);
    expect(await written(world)).toEqual({ 'mine.txt': 'mine' });
  });

  it('fails before anything is committed when a file has appeared meanwhile', async () => {
    const world = worlds.world(async (call) => {
      if (names(call.files).includes(file(1))) throw new Error('bad');
      return writing(call);
    });
    await world.put(numbered(3));
    await world.accept('job', SUMMARY);
    await planned(world, 'job');
    const lanes = [await world.lane('job', 0)];
    await world.put({ [`out/made/${file(2)}.txt`]: 'mine' });
    await world.commit('job', lanes);
    expect(await world.record('job')).toMatchObject({ state: 'failed', reason: { code: 'OutputExists' } });
    expect(await written(world)).toEqual({ [`made/${file(2)}.txt`]: 'mine' });
  });
});

describe('whatever happens on the way, a SummaryOnly job', () => {
  it.each<[string, FaultPlan]>([
    ['a lost answer of a commit', { operation: 'commitBlocks', name: /f001/, fault: { kind: 'loseAnswer' } }],
    [
      'a busy storage',
      { operation: 'commitBlocks', name: /f00/, nth: 2, fault: { kind: 'refuse', status: 503, code: 'ServerBusy' } },
    ],
    [
      'a lost answer of the last commit',
      { operation: 'commitBlocks', name: /predictions/, fault: { kind: 'loseAnswer' } },
    ],
  ])('has each file once after %s', async (_, plan) => {
    const faults: { made?: ReturnType<typeof withFaults> } = {};
    const world = worlds.world(writing, {
      faulty: (blobs: Blobs) => (faults.made = withFaults(blobs, [plan])),
    });
    await world.put(numbered(3));
    await world.accept('job', SUMMARY);
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { rows: 3 } });
    expect(faults.made?.unfired()).toEqual([]);
    expect(await written(world)).toEqual(made(0, 1, 2));
  });

  it('has each file once when its fan-in died between the files and began again', async () => {
    const world = worlds.world(writing);
    await world.put(numbered(4));
    await world.accept('job', SUMMARY);
    await planned(world, 'job');
    const lanes = [await world.lane('job', 0)];
    const input = { job: 'job', execution: 'the-execution', lanes };
    const dying = withFaults(world.data, [
      { operation: 'commitBlocks', name: /f002/, times: 9, fault: { kind: 'refuse', status: 503, code: 'ServerBusy' } },
    ]);
    const { datastores } = world.deps;
    const process = world.process({
      datastores: {
        ...datastores,
        find: async (name) => {
          const found = await datastores.find(name);
          return found && { ...found, blobs: dying };
        },
      },
    });
    await expect(commitJob(process, input)).rejects.toThrow('503');
    expect(await written(world)).not.toHaveProperty('predictions.csv');
    expect(await commitJob(world.deps, input)).toEqual({ state: 'completed' });
    expect(await written(world)).toEqual(made(0, 1, 2, 3));
  });

  it('has each file once when its slices are delivered twice at once', async () => {
    const world = worlds.world(writing);
    await world.put(numbered(4));
    await world.accept('job', { ...SUMMARY, miniBatchSize: 2 });
    await planned(world, 'job');
    const lanes = await Promise.all([1, 2].map(() => runLane(world.process(), { job: 'job', lane: 0 }, null)));
    await world.commit('job', lanes.slice(0, 1));
    expect(await written(world)).toEqual(made(0, 1, 2, 3));
  });

  it('has each file once when staging failed and the slice was tried again', async () => {
    const plan: FaultPlan = {
      operation: 'stageBlock',
      name: /f002/,
      fault: { kind: 'refuse', status: 503, code: 'ServerBusy' },
    };
    const world = worlds.world(writing, { faulty: (blobs) => withFaults(blobs, [plan]) });
    await world.put(numbered(4));
    await world.accept('job', SUMMARY);
    await planned(world, 'job');
    await expect(world.lane('job', 0)).rejects.toThrow('503 ServerBusy');
    await world.commit('job', [await world.lane('job', 0)]);
    expect(await written(world)).toEqual(made(0, 1, 2, 3));
  });

  it('commits nothing when it is cancelled, and salvage commits the files of what was finished', async () => {
    const world = worlds.world(writing, { sliceMs: 0 });
    const deps = { ...world.deps, orchestrations: fakeOrchestrations() };
    await deps.orchestrations.start('job');
    await world.put(numbered(4));
    await world.accept('job', SUMMARY);
    await planned(world, 'job');
    const first = await world.slice('job', 0);
    const second = await world.slice('job', 0, first);
    await world.deps.jobs.transition('job', (job) => ({ ...job, cancelRequested: true }));
    await world.deps.jobs.stop('job', { code: 'Canceled', message: 'cancelled' });
    await world.commit('job', [{ ok: false, receipt: second.receipt, reason: null }]);
    expect(await world.record('job')).toMatchObject({ state: 'canceled' });
    expect(await written(world)).toEqual({});
    const salvaged = [await salvageJob(deps, 'job'), await salvageJob(deps, 'job')];
    expect(salvaged[1]).toEqual(salvaged[0]);
    expect(await written(world)).toEqual(made(0, 1));
  });

  it('goes on in its next generation with the files of the one before', async () => {
    const world = worlds.world(writing, { sliceMs: 0 });
    await world.put(numbered(3));
    await world.accept('job', SUMMARY);
    await planned(world, 'job');
    await world.slice('job', 0);
    await world.deps.jobs.transition('job', ({ name, endpoint, deployment, createdAt, cancelRequested }) => ({
      ...{ state: 'resuming', name, endpoint, deployment, createdAt, cancelRequested, generation: 2, startedAt: null },
    }));
    expect(await world.resume('job', 2)).toMatchObject({ state: 'completed', totals: { filesDone: 3, rows: 3 } });
    expect(await written(world)).toEqual(made(0, 1, 2));
  });
});

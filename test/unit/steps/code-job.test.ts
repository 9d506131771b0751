import { mkdtemp, readdir, readFile, rm, writeFile, chmod, mkdir } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Extensions } from '../../../shared/domain/settings.ts';
import { ModelFault, TimedOut } from '../../../shared/scoring/engine.ts';
import { scoreSlice } from '../../../shared/steps/score-slice.ts';
import { codeEngine, namesAndContents, type CodeCall, type CodeResult } from '../../support/code-engine.ts';
import { jobWorld, numbered, planned, type JobWorld } from '../../support/job-world.ts';

let workFolder: string;
beforeEach(async () => {
  workFolder = await mkdtemp(join(tmpdir(), 'code-job-'));
});
afterEach(async () => {
  // Whatever a job did, nothing of it stays on the disk.
  expect((await readdir(workFolder)).filter((name) => name.includes(`-${process.pid}-`))).toEqual([]);
  await rm(workFolder, { recursive: true });
});

type Run = (call: CodeCall) => Promise<CodeResult>;

const worldOf = (run: Run, options: Parameters<typeof jobWorld>[0] = {}): JobWorld =>
  jobWorld({ engine: codeEngine(run), workFolder, ...options });

const extensions = (change: Partial<Extensions>): { extensions: Extensions } => ({
  extensions: { ...Extensions.parse({}), ...change },
});

const errorsOf = async (world: JobWorld): Promise<unknown[]> =>
  ((await world.text('out/predictions.csv.errors.jsonl')) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

const names = (files: CodeCall['files']): string[] => files.map(({ name }) => name);

describe("a job of a user's code", () => {
  it.each([1, 2, 7, 40])('writes the rows of %i files once, in input order, without file and row', async (files) => {
    const world = worldOf(namesAndContents, { sliceMs: 0, blockBytes: 32 });
    await world.put(numbered(files));
    await world.accept('job', { miniBatchSize: 3, instanceCount: 2, maxConcurrencyPerInstance: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'completed',
      totals: { files, filesDone: files, filesFailed: 0, rows: files, recordsFailed: 0 },
      errorsUri: null,
    });
    const rows = Array.from({ length: files }, (_, i) => `f${String(i).padStart(3, '0')}.csv v${i}`);
    expect(await world.text('out/predictions.csv')).toBe(['prediction', ...rows, ''].join('\n'));
  });

  it('is given the files of a mini-batch under their names, an empty folder, and its settings', async () => {
    const calls: { names: string[]; written: string[]; options: unknown; timeoutMs: number }[] = [];
    const world = worldOf(async (call) => {
      const { files, outputFolder, options, timeoutMs } = call;
      calls.push({ names: names(files), written: await readdir(outputFolder), options, timeoutMs });
      return namesAndContents(call);
    });
    await world.put({ 'in/a b.csv': '1', 'in/deep/c.txt': '2', 'in/z.bin': '3' });
    const change = extensions({ recursive: true, outputFormat: 'azureml', outputColumns: ['x'] });
    await world.accept('job', { miniBatchSize: 2, timeoutSeconds: 7 }, change);
    await world.run('job');
    const settings = {
      written: [],
      options: { outputFormat: 'azureml', outputColumns: ['x'], summaryOnly: false },
      timeoutMs: 7000,
    };
    expect(calls).toEqual([
      { names: ['a b.csv', 'deep/c.txt'], ...settings },
      { names: ['z.bin'], ...settings },
    ]);
    expect(await world.text('out/predictions.csv')).toBe('a b.csv 1\nc.txt 2\nz.bin 3\n');
  });

  it('reads gzip by Content-Encoding unpacked, and a .gz file as it is', async () => {
    const packed = gzipSync('text');
    const world = worldOf(
      async ({ files }) => ({
        rows: await Promise.all(files.map(async ({ path }) => (await readFile(path)).toString('hex'))),
      }),
      {
        faulty: (blobs) => ({
          ...blobs,
          async *list(container, options) {
            for await (const item of blobs.list(container, options)) yield { ...item, contentEncoding: 'gzip' };
          },
        }),
      },
    );
    await world.data.ensureContainer('data');
    for (const name of ['in/a.csv', 'in/b.csv.gz', 'in/c.csv'])
      await world.data.write({ container: 'data', name }, name === 'in/c.csv' ? new Uint8Array([1, 2]) : packed);
    await world.accept('job', { miniBatchSize: 3 });
    expect(await world.run('job')).toMatchObject({
      totals: { filesDone: 2, filesFailed: 1 },
      failures: [{ file: 'c.csv', code: 'BadGzip' }],
    });
    expect(await world.text('out/predictions.csv')).toBe(
      `prediction\n${Buffer.from('text').toString('hex')}\n${packed.toString('hex')}\n`,
    );
  });

  it('leaves files that changed, are gone, or cannot lie on a disk out of their mini-batch', async () => {
    const seen: string[][] = [];
    const world = worldOf(async (call) => {
      seen.push(names(call.files));
      return namesAndContents(call);
    });
    const long = `${'x'.repeat(300)}.csv`;
    await world.put({ ...numbered(4), [`in/${long}`]: 'v', 'in/f003.csv/below.csv': 'v' });
    await world.accept('job', { miniBatchSize: 10 }, extensions({ recursive: true }));
    await planned(world, 'job');
    await world.put({ 'in/f001.csv': 'other' });
    await world.data.remove({ container: 'data', name: 'in/f002.csv' });
    await world.commit('job', [await world.lane('job', 0)]);
    expect(seen).toHaveLength(1);
    const record = await world.record('job');
    expect(record).toMatchObject({ totals: { files: 6, filesDone: 2, filesFailed: 4 } });
    expect('failures' in record && record.failures.map(({ file, code }) => [file, code])).toEqual([
      ['f001.csv', 'InputChanged'],
      ['f002.csv', 'InputChanged'],
      [expect.stringMatching(/^f003/), 'BadName'],
      [long, 'BadName'],
    ]);
  });
});

describe("a mini-batch of a user's code that fails", () => {
  it('is tried again with whole files and a folder of its own, and counts once', async () => {
    const tries: { contents: string[]; written: string[]; folder: string }[] = [];
    const world = worldOf(async ({ files, outputFolder }) => {
      const contents = await Promise.all(files.map(({ path }) => readFile(path, 'utf8')));
      tries.push({ contents, written: await readdir(outputFolder), folder: outputFolder });
      await writeFile(join(outputFolder, 'rest'), 'of a try');
      const [first, second, third] = files.map(({ path }) => path);
      if (tries.length === 1 && first && second && third) {
        await chmod(first, 0o644);
        await writeFile(first, 'another content');
        await rm(second);
        await rm(third);
        await mkdir(third);
        throw new Error('run() raised: ValueError');
      }
      return { rows: contents.map((text) => text.trim()) };
    });
    await world.put(numbered(4));
    await world.accept('job', { miniBatchSize: 4 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { filesDone: 4, rows: 4 } });
    const contents = ['v0\n', 'v1\n', 'v2\n', 'v3\n'];
    expect(tries).toMatchObject([
      { contents, written: [] },
      { contents, written: [] },
    ]);
    expect(tries[0]?.folder).not.toBe(tries[1]?.folder);
    expect(await world.text('out/predictions.csv')).toBe('prediction\nv0\nv1\nv2\nv3\n');
  });

  it('is taken apart after the last try, so that only the bad files fail', async () => {
    const seen: string[][] = [];
    const world = worldOf(async (call) => {
      seen.push(names(call.files));
      if (names(call.files).includes('f001.csv')) throw new Error('ValueError: bad picture');
      if (names(call.files).includes('f003.csv')) throw new TimedOut(30);
      return namesAndContents(call);
    });
    await world.put(numbered(4));
    await world.accept('job', { miniBatchSize: 4, maxRetries: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'completed',
      totals: { filesDone: 2, filesFailed: 2, rows: 2 },
      failures: [
        { file: 'f001.csv', code: 'ScoringFailed', reason: 'ValueError: bad picture', attempts: 3 },
        { file: 'f003.csv', code: 'Timeout', attempts: 3 },
      ],
    });
    const all = ['f000.csv', 'f001.csv', 'f002.csv', 'f003.csv'];
    expect(seen).toEqual([all, all, ...all.map((name) => [name])]);
  });

  it('because its code cannot start fails the job at once, whatever was scored before', async () => {
    let calls = 0;
    const world = worldOf(async (call) => {
      if (++calls === 2) throw new ModelFault("score.py: init() raised KeyError: 'weights'");
      return namesAndContents(call);
    });
    await world.put(numbered(5));
    await world.accept('job', { miniBatchSize: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'failed',
      reason: { code: 'ScriptFailed', message: "score.py: init() raised KeyError: 'weights'" },
      totals: { filesDone: 2, filesFailed: 0, rows: 2 },
    });
    expect(calls).toBe(2);
    expect(await world.text('out/predictions.csv')).toBeUndefined();
  });

  it('because there is no such engine fails the job at once', async () => {
    const world = worldOf(namesAndContents);
    await world.put(numbered(1));
    await world.accept('job', {}, { code: { name: 'c', version: '1', script: 'score.py' } });
    await planned(world, 'job');
    let loads = 0;
    const deps = world.process({
      engine: async () => {
        loads++;
        throw new ModelFault('score.py has no run().');
      },
    });
    const slice = { job: 'job', lane: 0, position: null, receipt: null };
    const reason = { code: 'ScriptFailed', message: 'score.py has no run().' };
    expect(await scoreSlice(deps, slice)).toEqual({ ok: false, done: false, position: 0, receipt: null, reason });
    expect(await scoreSlice(deps, slice)).toMatchObject({ ok: false, reason });
    expect(loads).toBe(1);
  });

  it('when storage breaks off is downloaded again', async () => {
    let reads = 0;
    const world = worldOf(namesAndContents, {
      faulty: (blobs) => ({
        ...blobs,
        read: async (ref, options) => {
          const found = await blobs.read(ref, options);
          if (!found || ref.name !== 'in/f001.csv' || ++reads > 1) return found;
          return { ...found, body: broken() };
        },
      }),
    });
    await world.put(numbered(2));
    await world.accept('job', { miniBatchSize: 2 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { filesDone: 2, rows: 2 } });
    expect(reads).toBe(2);
  });
});

async function* broken(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
  throw new Error('the line is gone');
}

describe("the results of a user's code", () => {
  it('fewer than the files are failures, without another try', async () => {
    let calls = 0;
    const world = worldOf(async (call) => {
      calls++;
      return { rows: (await namesAndContents(call)).rows.slice(1) };
    });
    await world.put(numbered(4));
    await world.accept('job', { miniBatchSize: 3 });
    expect(await world.run('job')).toMatchObject({
      state: 'completed',
      totals: { files: 4, filesDone: 2, filesFailed: 2, rows: 2 },
    });
    expect(calls).toBe(2);
    expect(await errorsOf(world)).toEqual([
      {
        file: 'f000.csv … f002.csv',
        code: 'ResultMissing',
        reason: 'run() returned 2 results for 3 files.',
        attempts: 1,
      },
      { file: 'f003.csv', code: 'ResultMissing', reason: 'run() returned 0 results for 1 file.', attempts: 1 },
    ]);
    expect(await world.text('out/predictions.csv')).toBe('prediction\nf001.csv v1\nf002.csv v2\n');
  });

  it('none at all fail the job', async () => {
    const world = worldOf(async () => ({ rows: [] }));
    await world.put(numbered(2));
    await world.accept('job', { miniBatchSize: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'failed',
      reason: { code: 'NothingSucceeded' },
      totals: { filesDone: 0, filesFailed: 2 },
    });
  });

  it('more than the files are all written', async () => {
    const world = worldOf(async () => ({ rows: ['a', 'b', 'c'] }));
    await world.put(numbered(1));
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ totals: { filesDone: 1, filesFailed: 0, rows: 3 } });
    expect(await world.text('out/predictions.csv')).toBe('prediction\na\nb\nc\n');
  });

  const widening: Run = async ({ files }) => ({
    columns: names(files).some((name) => name >= 'f002') ? ['label', 'score'] : ['label'],
    rows: files.map(() => ['1']),
  });

  it.each([
    ['one slice', { sliceMs: 60_000 }, {}],
    ['two slices', { sliceMs: 0 }, {}],
    ['two lanes', { sliceMs: 60_000 }, { instanceCount: 2 }],
  ])('with other columns in another mini-batch of %s fail the job', async (_, options, settings) => {
    const world = worldOf(widening, options);
    await world.put(numbered(4));
    await world.accept('job', { miniBatchSize: 2, ...settings });
    expect(await world.run('job')).toMatchObject({
      state: 'failed',
      reason: {
        code: 'ColumnsDiffer',
        message:
          "The results differ in their columns: f000.csv … f001.csv has (label), f002.csv … f003.csv has (label, score). Name those to write in the deployment's property batchpoint.outputColumns.",
      },
    });
    expect(await world.text('out/predictions.csv')).toBeUndefined();
  });

  it('of a try that failed do not settle the columns', async () => {
    let calls = 0;
    const engine = codeEngine(async () => ({ columns: ++calls === 1 ? ['old'] : ['new'], rows: ['1', '2'] }));
    const score = engine.score.bind(engine);
    engine.score = async function* (miniBatch, run) {
      for await (const part of score(miniBatch, run)) {
        if (part.type === 'returned' && calls === 1) throw new Error('died at its end');
        yield part;
      }
    };
    const world = jobWorld({ engine, workFolder });
    await world.put(numbered(2));
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { rows: 4 } });
    expect(await world.text('out/predictions.csv')).toBe('new\n1\n2\n1\n2\n');
  });
});

describe('the work folder', () => {
  it('loses what dead processes of this machine left, and nothing of others', async () => {
    const machine = hostname().replace(/[^A-Za-z0-9.]/g, '_');
    const kept = [`${machine}-${process.ppid}-1-x`, 'elsewhere-1-1-x', 'notes'];
    // No process has a number above the kernel's largest.
    const left = [`${machine}-99999999-1-x`, `${machine}-${process.pid}-1-x`];
    for (const name of [...kept, ...left]) await mkdir(join(workFolder, name, 'in'), { recursive: true });
    const world = worldOf(namesAndContents);
    await world.put(numbered(1));
    await world.accept('job');
    await world.run('job');
    expect((await readdir(workFolder)).sort()).toEqual(kept.sort());
  });

  it('holds the files of two mini-batches at most, the next ones while a mini-batch runs', async () => {
    const inUse: number[] = [];
    const reads: string[] = [];
    const read = new Map<string, PromiseWithResolvers<void>>();
    const readOf = (name: string) => {
      const known = read.get(name) ?? Promise.withResolvers<void>();
      read.set(name, known);
      return known;
    };
    const world = worldOf(
      async (call) => {
        // It would wait for ever if the next file came only after this one.
        const next = inUse.length + 1;
        if (next < 4) await readOf(`in/f00${next}.csv`).promise;
        inUse.push(reads.length);
        return namesAndContents(call);
      },
      {
        faulty: (blobs) => ({
          ...blobs,
          read: async (ref, options) => {
            reads.push(ref.name);
            readOf(ref.name).resolve();
            return blobs.read(ref, options);
          },
        }),
      },
    );
    await world.put(numbered(4));
    await world.accept('job');
    await world.run('job');
    expect(inUse).toEqual([2, 3, 4, 4]);
  });
});

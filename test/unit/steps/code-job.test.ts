import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LOOK_MS } from '../../../shared/steps/stop-watch.ts';
import { scoreSlice } from '../../../shared/steps/score-slice.ts';
import { codeEngine, namesAndContents } from '../../support/code-engine.ts';
import { asGzip, codeWorlds, names, withExtensions } from '../../support/code-world.ts';
import { numbered, planned } from '../../support/job-world.ts';

const worlds = codeWorlds();

describe("a job of a user's code", () => {
  it.each([1, 2, 7, 40])('writes the rows of %i files once, in input order, without file and row', async (files) => {
    const world = worlds.world(namesAndContents, { sliceMs: 0, blockBytes: 32 });
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
    const world = worlds.world(async (call) => {
      const { files, outputFolder, options, timeoutMs } = call;
      calls.push({ names: names(files), written: await readdir(outputFolder), options, timeoutMs });
      return namesAndContents(call);
    });
    await world.put({ 'in/a b.csv': '1', 'in/deep/c.txt': '2', 'in/z.bin': '3' });
    const change = withExtensions({ recursive: true, outputFormat: 'azureml', outputColumns: ['x'] });
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

  it('is scored with what its spec and its settings name', async () => {
    const scorers: unknown[] = [];
    const world = worlds.world(namesAndContents);
    await world.put(numbered(1));
    const scorer = {
      code: { name: 'c', version: '2', script: 'score.py' },
      environment: 'azureml:env:3',
      environmentVariables: { A: 'b' },
    };
    await world.accept('job', { maxConcurrencyPerInstance: 4, loggingLevel: 'Debug' }, scorer);
    await planned(world, 'job');
    const process = world.process({
      engine: (asked, print) => {
        scorers.push(asked);
        print('its environment is made');
        return world.deps.engine(asked, print);
      },
    });
    await scoreSlice(process, { job: 'job', lane: 0, position: null, receipt: null });
    const whole = { model: { name: 'm', version: '1' }, ...scorer, loggingLevel: 'Debug', workers: 4 };
    expect(scorers).toEqual([whole]);
    const log = new TextDecoder().decode(await world.deps.logs.read('job'));
    expect(log).toContain('INFO  its environment is made\n');
  });

  it('reads gzip by Content-Encoding unpacked, and a .gz file as it is', async () => {
    const packed = gzipSync('text');
    const world = worlds.world(
      async ({ files }) => ({
        rows: await Promise.all(files.map(async ({ path }) => (await readFile(path)).toString('hex'))),
      }),
      { faulty: asGzip },
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
    const world = worlds.world(async (call) => {
      seen.push(names(call.files));
      return namesAndContents(call);
    });
    const long = `${'x'.repeat(300)}.csv`;
    await world.put({ ...numbered(4), [`in/${long}`]: 'v', 'in/f003.csv/below.csv': 'v' });
    await world.accept('job', { miniBatchSize: 10 }, withExtensions({ recursive: true }));
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

  it('has its small files as bytes where its engine takes them, in every try', async () => {
    const tries: (readonly [string, string | undefined])[][] = [];
    const engine = codeEngine(async ({ files }) => {
      const given = files.map(({ name, bytes }) => [name, bytes && new TextDecoder().decode(bytes)] as const);
      tries.push(given);
      if (tries.length === 1) throw new Error('once');
      return { rows: given.map(([name]) => name) };
    });
    const world = worlds.world(namesAndContents, { engine: { ...engine, takesBytes: true } });
    const reads = vi.spyOn(world.data, 'read');
    await world.put({ 'in/a.txt': 'A', 'in/b.txt': '' });
    await world.accept('job', { miniBatchSize: 2, maxRetries: 2 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { filesDone: 2, filesFailed: 0 } });
    const both = [
      ['a.txt', 'A'],
      ['b.txt', ''],
    ];
    expect(tries).toEqual([both, both]);
    expect(reads.mock.calls.map(([{ name }]) => name).filter((name) => name.startsWith('in/'))).toHaveLength(2);
  });

  it('has the files of two mini-batches at most on the disk, the next ones while a mini-batch runs', async () => {
    const inUse: number[] = [];
    const reads: string[] = [];
    const read = new Map<string, PromiseWithResolvers<void>>();
    const readOf = (name: string) => {
      const known = read.get(name) ?? Promise.withResolvers<void>();
      read.set(name, known);
      return known;
    };
    const world = worlds.world(
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

describe('a job that is cancelled while its code runs', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends the run and keeps nothing of it', async () => {
    const running = Promise.withResolvers<void>();
    const world = worlds.world(async (call) => {
      if (names(call.files).includes('f000.csv')) return namesAndContents(call);
      running.resolve();
      await new Promise((_, reject) => call.signal.addEventListener('abort', reject));
      return { rows: [] };
    });
    await world.put(numbered(3));
    await world.accept('job');
    await planned(world, 'job');
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const slice = world.slice('job', 0);
    await running.promise;
    const reason = { code: 'Canceled', message: 'The job was cancelled.' };
    await world.deps.jobs.stop('job', reason);
    vi.advanceTimersByTime(LOOK_MS);
    expect(await slice).toMatchObject({ ok: false, done: false, position: 1, reason });
  });
});

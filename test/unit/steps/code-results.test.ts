import { describe, expect, it } from 'vitest';
import type { FileEngine } from '../../../shared/scoring/engine.ts';
import { codeEngine, namesAndContents } from '../../support/code-engine.ts';
import { codeWorlds, errorsOf, names, type Run } from '../../support/code-world.ts';
import { numbered, type JobWorld } from '../../support/job-world.ts';
import { lineEngine } from '../../support/line-engine.ts';

const worlds = codeWorlds();

describe("the results of a user's code", () => {
  it('fewer than the files are failures, without another try', async () => {
    let calls = 0;
    const world = worlds.world(async (call) => {
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
    const world = worlds.world(async () => ({ rows: [] }));
    await world.put(numbered(2));
    await world.accept('job', { miniBatchSize: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'failed',
      reason: { code: 'NothingSucceeded' },
      totals: { filesDone: 0, filesFailed: 2 },
    });
  });

  it('more than the files are all written', async () => {
    const world = worlds.world(async () => ({ rows: ['a', 'b', 'c'] }));
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
    const world = worlds.world(widening, options);
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
    const world = worlds.world(namesAndContents, { engine });
    await world.put(numbered(2));
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { rows: 4 } });
    expect(await world.text('out/predictions.csv')).toBe('new\n1\n2\n1\n2\n');
  });
});

describe('an engine of files that knows its columns only from its results', () => {
  const named = (columnsOf: (file: string) => string[]): FileEngine => {
    const engine = lineEngine();
    return {
      ...engine,
      columns: null,
      async *score(file, options, signal) {
        for await (const part of engine.score(file, options, signal))
          yield { ...part, columns: part.rows > 0 ? columnsOf(file.name) : ['of a failure'] };
      },
    };
  };

  it('has them in the header, after file and row', async () => {
    const world = worlds.world(namesAndContents, { engine: named(() => ['label']), sliceMs: 0 });
    await world.put({ 'in/a.csv': 'bad\n1\n', 'in/b.csv': '2\n' });
    await world.accept('job', { instanceCount: 2 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { rows: 2, recordsFailed: 1 } });
    expect(await world.text('out/predictions.csv')).toBe('file,row,label\na.csv,1,1\nb.csv,0,2\n');
  });

  it('fails the job when two files differ', async () => {
    const world = worlds.world(namesAndContents, { engine: named((file) => [file]) });
    await world.put(numbered(2));
    await world.accept('job');
    const record = await world.run('job');
    expect(record).toMatchObject({ state: 'failed', reason: { code: 'ColumnsDiffer' } });
    expect('reason' in record && record.reason.message).toContain('f000.csv has (f000.csv), f001.csv has (f001.csv)');
  });
});

describe("what a user's code prints", () => {
  const printed = async (world: JobWorld): Promise<string[]> => {
    const text = new TextDecoder().decode(await world.deps.logs.read('job'));
    const lines = text.split('\n').map((line) => line.replace(/^\S+ /, ''));
    return lines.filter((line) => / worker \d |printed/.test(line));
  };

  it('becomes lines of the log of the job, whatever its level', async () => {
    const world = worlds.world(async (call) => {
      call.print('loading\u0085the model');
      call.print('careful', 'stderr');
      return namesAndContents(call);
    });
    await world.put(numbered(1));
    await world.accept('job', { loggingLevel: 'Warning' });
    await world.run('job');
    expect(await printed(world)).toEqual([
      'INFO  worker 0 stdout: loading the model',
      'INFO  worker 0 stderr: careful',
    ]);
  });

  it.each([
    ['many lines', 12_000, 'x', 10_000, 2_000],
    ['long lines', 100_000, 'x'.repeat(1007), 1024, 98_976],
  ])('is cut when there are too %s', async (_, lines, text, kept, left) => {
    const world = worlds.world(async (call) => {
      for (let i = 0; i < lines; i++) call.print(text);
      return namesAndContents(call);
    });
    await world.put(numbered(1));
    await world.accept('job');
    await world.run('job');
    const found = await printed(world);
    expect(found).toHaveLength(kept + 1);
    expect(found.at(-1)).toBe(`WARN  ${left} more lines that the code printed were left out`);
  });

  it('has a limit in the job too', async () => {
    const world = worlds.world(
      async (call) => {
        for (let i = 0; i < 1000; i++) call.print('x'.repeat(1007));
        return namesAndContents(call);
      },
      { sliceMs: 0 },
    );
    await world.put(numbered(20));
    await world.accept('job', { instanceCount: 2 });
    await world.run('job');
    // 1,024 bytes a line, 8 MiB a lane.
    expect((await printed(world)).filter((line) => line.startsWith('INFO'))).toHaveLength(16 * 1024);
  });
});

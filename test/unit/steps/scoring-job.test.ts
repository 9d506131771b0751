import { describe, expect, it } from 'vitest';
import { Extensions } from '../../../shared/domain/settings.ts';
import { jobWorld, numbered, numberedOutput, planned, SHAPES } from '../../support/job-world.ts';

describe('a scoring job', () => {
  const shapes = SHAPES.flatMap((shape) => [2, 7, 40].map((rows) => ({ ...shape, rows })));
  it.each(shapes)('writes $rows rows once, in input order, of mini-batches of $unit', async (shape) => {
    const { unit, rows } = shape;
    const files = shape.files(rows);
    const world = jobWorld({ sliceMs: 0, unit });
    await world.put(shape.input(rows));
    await world.accept('job', { miniBatchSize: 3, instanceCount: 2, maxConcurrencyPerInstance: 2 });
    expect(await world.run('job')).toMatchObject({
      state: 'completed',
      totals: { files, filesDone: files, filesFailed: 0, rows, recordsFailed: 0 },
      outputUri: 'azureml://datastores/store/paths/out/predictions.csv',
      errorsUri: null,
      failures: [],
    });
    expect(await world.text('out/predictions.csv')).toBe(shape.output(rows));
    expect(await world.text('out/predictions.csv.errors.jsonl')).toBeUndefined();
  });

  it('cuts blocks inside files and mini-batches without losing or doubling a row', async () => {
    const lines = Array.from({ length: 200 }, (_, i) => (i % 50 === 7 ? 'bad' : `line ${i}`));
    const world = jobWorld({ blockBytes: 64 });
    await world.put({ 'in/a.csv': lines.join('\n'), 'in/b.csv': 'x\nnot csv\n', 'in/c.csv': lines.join('\n') });
    await world.accept('job', { miniBatchSize: 2 });
    await world.run('job');
    const rows = (file: string) => lines.flatMap((line, row) => (line === 'bad' ? [] : [`${file},${row},${line}`]));
    expect(await world.text('out/predictions.csv')).toBe(
      ['file,row,value', ...rows('a.csv'), ...rows('c.csv'), ''].join('\n'),
    );
  });

  it('writes only a header for files without records', async () => {
    const world = jobWorld();
    await world.put({ 'in/empty.csv': '' });
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { rows: 0, filesDone: 1 } });
    expect(await world.text('out/predictions.csv')).toBe('file,row,value\n');
  });

  it('writes no header in the format azureml', async () => {
    const world = jobWorld();
    await world.put(numbered(1));
    await world.accept(
      'job',
      {},
      {
        extensions: Extensions.parse({ outputFormat: 'azureml' }),
      },
    );
    await world.run('job');
    expect(await world.text('out/predictions.csv')).toBe('f000.csv,0,v0\n');
  });

  it('puts the output at the default place and beside it every failure as a line', async () => {
    const world = jobWorld();
    await world.put({ 'in/a.csv': '1\nbad\n2\n', 'in/b.csv': 'not csv\n', 'in/c.csv': 'bad\nbad\n' });
    await world.accept('job', {}, { output: null });
    const failures = [
      { file: 'a.csv', row: 1, line: 2, code: 'BadRecord', reason: 'The record is bad.', attempts: 1 },
      { file: 'b.csv', line: 1, code: 'NotCsv', reason: 'The file is not CSV.', attempts: 1 },
      { file: 'c.csv', row: 0, line: 1, code: 'BadRecord', reason: 'The record is bad.', attempts: 1 },
      { file: 'c.csv', row: 1, line: 2, code: 'BadRecord', reason: 'The record is bad.', attempts: 1 },
      { file: 'c.csv', code: 'NoRecordSucceeded', reason: 'All its 2 records failed.', attempts: 1 },
    ];
    expect(await world.run('job')).toMatchObject({
      state: 'completed',
      totals: { files: 3, filesDone: 1, filesFailed: 2, rows: 2, recordsFailed: 3 },
      errorsUri: 'azureml://datastores/store/paths/azureml/job/score/predictions.csv.errors.jsonl',
      failures,
    });
    expect(await world.text('azureml/job/score/predictions.csv')).toBe('file,row,value\na.csv,0,1\na.csv,2,2\n');
    const errors = (await world.text('azureml/job/score/predictions.csv.errors.jsonl')) ?? '';
    expect(
      errors
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual(failures);
  });

  it('shows the first 20 failures in the job and all of them in the errors file', async () => {
    const world = jobWorld();
    await world.put({ 'in/a.csv': `ok\n${'bad\n'.repeat(50)}` });
    await world.accept('job');
    const record = await world.run('job');
    expect('failures' in record ? record.failures.map((failure) => failure.row) : []).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    expect((await world.text('out/predictions.csv.errors.jsonl'))?.trimEnd().split('\n')).toHaveLength(50);
  });

  it('looks only at the first level of a folder unless it is recursive', async () => {
    const files = { 'in/a.csv': '1\n', 'in/deep/b.csv': '2\n', 'input-of-another.csv': '3\n' };
    const flat = jobWorld();
    await flat.put(files);
    await flat.accept('job');
    await flat.run('job');
    expect(await flat.text('out/predictions.csv')).toBe('file,row,value\na.csv,0,1\n');

    const deep = jobWorld();
    await deep.put(files);
    await deep.accept('job', {}, { extensions: Extensions.parse({ recursive: true }) });
    await deep.run('job');
    expect(await deep.text('out/predictions.csv')).toBe('file,row,value\na.csv,0,1\ndeep/b.csv,0,2\n');
  });
});

describe('lanes', () => {
  it.each([
    [2, 4],
    [9, 6],
    [0, 2],
  ])('of 3 instances are those that a compute of at most %i instances has: %i', async (maxInstances, lanes) => {
    const world = jobWorld();
    await world.put(numbered(20));
    await world.accept('job', { instanceCount: 3, maxConcurrencyPerInstance: 2 }, { maxInstances });
    expect(await planned(world, 'job')).toBe(lanes);
  });

  it('of an instance are no more than it has slots', async () => {
    const world = jobWorld({ slots: 3 });
    await world.put(numbered(20));
    await world.accept('job', { instanceCount: 2, maxConcurrencyPerInstance: 9 });
    expect(await planned(world, 'job')).toBe(6);
  });

  it('are at most 256, whatever the settings multiply to', async () => {
    const world = jobWorld();
    await world.put(numbered(300));
    await world.accept('job', { instanceCount: 1000, maxConcurrencyPerInstance: 1000 });
    await world.run('job');
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(300));
    const names = [];
    for await (const { name } of world.data.list('data', { prefix: 'out/' })) names.push(name);
    expect(names).toEqual(['out/predictions.csv']);
  });
});

describe('a job that cannot succeed', () => {
  const reasonOf = async (world: ReturnType<typeof jobWorld>) => {
    const record = await world.run('job');
    expect(record.state).toBe('failed');
    expect(await world.text('out/predictions.csv')).toBeUndefined();
    return record.state === 'failed' ? record.reason : undefined;
  };

  it('fails on an empty or missing folder', async () => {
    const world = jobWorld();
    await world.accept('job');
    expect(await reasonOf(world)).toEqual({
      code: 'InputEmpty',
      message: "The input folder 'in' in datastore store is empty or does not exist.",
    });
  });

  it('fails on a missing file', async () => {
    const world = jobWorld();
    await world.accept(
      'job',
      {},
      {
        input: {
          name: 'i',
          kind: 'UriFile',
          uri: 'azureml://datastores/store/paths/in/a.csv',
          mode: '',
          description: null,
        },
      },
    );
    expect(await reasonOf(world)).toEqual({
      code: 'InputNotFound',
      message: "The input file 'in/a.csv' in datastore store does not exist.",
    });
  });

  it('fails before a row is scored when the output exists', async () => {
    const world = jobWorld();
    await world.put({ ...numbered(2), 'out/predictions.csv': 'mine' });
    await world.accept('job');
    const record = await world.run('job');
    expect(record).toMatchObject({ state: 'failed', reason: { code: 'OutputExists' } });
    expect(world.engine.seen).toEqual([]);
    expect(await world.text('out/predictions.csv')).toBe('mine');
  });

  it('fails when nothing at all succeeded, whatever the threshold, and keeps the errors file', async () => {
    const world = jobWorld();
    await world.put({ 'in/a.csv': 'not csv', 'in/b.csv': 'bad' });
    await world.accept('job', { errorThreshold: -1 });
    expect(await reasonOf(world)).toEqual({
      code: 'NothingSucceeded',
      message:
        'There is no succeeded mini batch item returned from run(): all 2 files failed. The first: a.csv: The file is not CSV.',
    });
    expect((await world.text('out/predictions.csv.errors.jsonl'))?.trimEnd().split('\n')).toHaveLength(3);
  });

  it.each([
    [-1, 'completed'],
    [2, 'completed'],
    [1, 'failed'],
    [0, 'failed'],
  ])('with an error threshold of %i and two failed files is %s', async (errorThreshold, state) => {
    const world = jobWorld();
    await world.put({ ...numbered(3), 'in/x.csv': 'not csv', 'in/y.csv': 'not csv' });
    await world.accept('job', { errorThreshold, instanceCount: 2 });
    const record = await world.run('job');
    expect(record.state).toBe(state);
    if (record.state === 'failed') expect(record.reason.code).toBe('ErrorThresholdExceeded');
  });

  it('says where its errors are, and a later job without errors leaves none beside its output', async () => {
    const world = jobWorld();
    await world.put({ 'in/a.csv': 'not csv' });
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({
      state: 'failed',
      errorsUri: 'azureml://datastores/store/paths/out/predictions.csv.errors.jsonl',
    });
    await world.put({ 'in/a.csv': '1\n' });
    await world.accept('again');
    expect(await world.run('again')).toMatchObject({ state: 'completed', errorsUri: null });
    expect(await world.text('out/predictions.csv.errors.jsonl')).toBeUndefined();
  });

  it("fails before a row is scored when a stranger's file lies where its errors would go", async () => {
    const world = jobWorld();
    await world.put({ ...numbered(1), 'out/predictions.csv.errors.jsonl': 'mine' });
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'failed', reason: { code: 'OutputExists' } });
    expect(world.engine.seen).toEqual([]);
    expect(await world.text('out/predictions.csv.errors.jsonl')).toBe('mine');
  });

  it('lets a later job replace the errors file of a failed one on the same path', async () => {
    const world = jobWorld();
    await world.put({ 'in/a.csv': 'not csv' });
    await world.accept('job');
    await world.run('job');
    await world.put({ 'in/b.csv': '1\n' });
    await world.accept('again');
    expect(await world.run('again')).toMatchObject({ state: 'completed' });
    expect(await world.text('out/predictions.csv')).toBe('file,row,value\nb.csv,0,1\n');
    expect((await world.text('out/predictions.csv.errors.jsonl'))?.trimEnd().split('\n')).toHaveLength(1);
  });
});

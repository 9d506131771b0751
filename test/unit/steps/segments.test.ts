import { describe, expect, it } from 'vitest';
import { jobWorld, numberedOutput, scoreSegments } from '../../support/job-world.ts';
import { OUTPUT, plan, RUN, scored, segmented, THREES } from '../../support/segmented-world.ts';

describe('a plan in segments', () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [6, 2],
    [7, 3],
    [10, 4],
  ])('of %i files has %i of three, and gives one output with each row once, in order', async (files, segments) => {
    const world = await segmented(files, { instanceCount: 2 });
    const totals = { files, filesDone: files, filesFailed: 0, rows: files, recordsFailed: 0 };
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals });
    expect(await world.text(OUTPUT)).toBe(numberedOutput(files));
    expect(await world.manifests()).toHaveLength(segments);
  });

  it('numbers mini-batches and lanes through the job, and says where each segment begins', async () => {
    const world = await segmented(7, { instanceCount: 2 });
    await world.run('job');
    const manifests = await world.manifests();
    expect(manifests.map(({ lanes }) => lanes)).toEqual([
      [
        { from: 0, to: 2 },
        { from: 2, to: 3 },
      ],
      [
        { from: 3, to: 5 },
        { from: 5, to: 6 },
      ],
      [{ from: 6, to: 7 }],
    ]);
    expect(manifests.map(({ begins }) => begins && { ...begins, blocks: 0 })).toEqual([
      undefined,
      { segment: 1, files: 3, miniBatches: 3, lanes: 2, blocks: 0 },
      { segment: 2, files: 6, miniBatches: 6, lanes: 4, blocks: 0 },
    ]);
    expect(manifests.map(({ next }) => next)).toEqual([{ page: 'in/f003.csv' }, { page: 'in/f006.csv' }, undefined]);
  });

  it.each([
    [1, [3, 3, 1]],
    [2, [4, 2, 1]],
    [3, [3, 3, 1]],
    [4, [4, 3]],
    [9, [7]],
  ])('has whole mini-batches of %i files, as a plan in one piece has', async (miniBatchSize, sizes) => {
    const world = await segmented(7, { miniBatchSize });
    expect(await world.run('job')).toMatchObject({ state: 'completed' });
    expect((await world.manifests()).map(({ files }) => files.length)).toEqual(sizes);
    expect(await world.text(OUTPUT)).toBe(numberedOutput(7));
  });

  it.each(['records', 'bytes'] as const)('cuts large files into %s, each within its segment', async (unit) => {
    const world = jobWorld({ segmentSizes: THREES, unit });
    const record = (file: number, row: number) => `record ${row} of file ${file}`.padEnd(100, '.');
    const rows = [...Array(5).keys()];
    const text = (file: number) => rows.map((row) => `${record(file, row)}\n`).join('');
    await world.put(Object.fromEntries(rows.map((file) => [`in/f${file}.csv`, text(file)])));
    await world.accept('job', { miniBatchSize: unit === 'records' ? 2 : 220, instanceCount: 2 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { filesDone: 5, rows: 25 } });
    const expected = rows.flatMap((file) => rows.map((row) => `f${file}.csv,${row},${record(file, row)}`));
    expect(await world.text(OUTPUT)).toBe(['file,row,value', ...expected, ''].join('\n'));
    expect(await world.deps.files.findPlan('job', 1)).toBeDefined();
  });

  it('passes over what is no file, and needs no segment for what follows the last one', async () => {
    const world = await segmented(6);
    await world.put({ 'in/f000/deep.csv': 'v\n', 'in/f003/deep.csv': 'v\n', 'in/z/deep.csv': 'v\n' });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { files: 6 } });
    expect(await world.manifests()).toHaveLength(2);
  });

  it('has errors of every segment in the errors file, in order, and in the totals', async () => {
    const world = await segmented(8, { errorThreshold: -1 });
    await world.put({ 'in/f001.csv': 'not csv\n', 'in/f004.csv': 'v4\nbad\n', 'in/f007.csv': 'not csv\n' });
    const totals = { files: 8, filesDone: 6, filesFailed: 2, rows: 6, recordsFailed: 1 };
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals });
    const lines = (await world.text(`${OUTPUT}.errors.jsonl`))?.trim().split('\n') ?? [];
    expect(lines.map((line) => (JSON.parse(line) as { file: string }).file)).toEqual([
      'f001.csv',
      'f004.csv',
      'f007.csv',
    ]);
  });

  it('is listed on where the last file was taken, with what is there by then', async () => {
    const world = await segmented(7);
    await world.take('job');
    const first = await plan(world);
    await world.data.remove({ container: 'data', name: 'in/f002.csv' });
    await world.put({ 'in/f001a.csv': 'too late\n', 'in/f003a.csv': 'in time\n' });
    await world.put({ 'in/f004.csv': 'v4 again\n' });
    expect(first.more).toBe(true);
    await scoreSegments(world.deps, RUN, first);
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      totals: { files: 8, filesFailed: 1, rows: 7 },
    });
    expect(await world.text(OUTPUT)).toBe(
      [
        ...['file,row,value', 'f000.csv,0,v0', 'f001.csv,0,v1', 'f003.csv,0,v3', 'f003a.csv,0,in time'],
        ...['f004.csv,0,v4 again', 'f005.csv,0,v5', 'f006.csv,0,v6', ''],
      ].join('\n'),
    );
  });

  it('pins each file when its segment is listed: one that changes later fails alone', async () => {
    const world = await segmented(5);
    const second = await scored(world, 1);
    await world.put({ 'in/f004.csv': 'other\n' });
    await scoreSegments(world.deps, RUN, second);
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      failures: [{ file: 'f004.csv', code: 'InputChanged' }],
      totals: { files: 5, filesDone: 4 },
    });
  });

  it('ends where the files that were to follow are gone', async () => {
    const world = await segmented(4);
    await world.take('job');
    const first = await plan(world);
    await world.data.remove({ container: 'data', name: 'in/f003.csv' });
    await scoreSegments(world.deps, RUN, first);
    expect(await world.record('job')).toMatchObject({ state: 'completed', totals: { files: 3, filesDone: 3 } });
    expect(await world.text(OUTPUT)).toBe(numberedOutput(3));
  });

  it('stands once it is made, whoever asks again', async () => {
    const world = await segmented(7);
    const second = await scored(world, 1);
    const before = await world.manifests();
    await world.put({ 'in/f004a.csv': 'v\n' });
    expect(await plan({ ...world, deps: { ...world.deps, ...world.process() } }, 1)).toEqual(second);
    expect(await world.manifests()).toEqual(before);
  });
});

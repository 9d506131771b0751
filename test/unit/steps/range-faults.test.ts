import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { Extensions } from '../../../shared/domain/settings.ts';
import type { Blobs } from '../../../shared/storage/ports.ts';
import { withFaults } from '../../support/faulty-blobs.ts';
import { jobWorld, planned, runLane, SHAPES, type Shape } from '../../support/job-world.ts';
import { deliver, died, TRIES } from '../../support/mortal-lane.ts';
import { recordEngine } from '../../support/record-engine.ts';

describe('a range of a file', () => {
  const lines = (...rows: number[]): string =>
    ['file,row,value', ...rows.map((row) => `f.csv,${row},v${row}`), ''].join('\n');
  const [, { input }] = SHAPES as [Shape, Shape];

  it('fails alone when the file changed after the ones before it were scored', async () => {
    const world = jobWorld({ unit: 'records', sliceMs: 0 });
    await world.put(input(5));
    await world.accept('job', { miniBatchSize: 2 });
    await planned(world, 'job');
    const first = await world.slice('job', 0);
    await world.put({ 'in/f.csv': 'another\n' });
    await world.commit('job', [await runLane(world.deps, { job: 'job', lane: 0 }, first)]);
    expect(await world.text('out/predictions.csv')).toBe(lines(0, 1));
    const failure = { file: 'f.csv', code: 'InputChanged', attempts: 1 };
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      totals: { files: 1, filesDone: 0, filesFailed: 1, rows: 2 },
      failures: [
        {
          ...failure,
          line: 3,
          offset: 6,
          reason: 'Records 2 to 3 were not scored. The file was changed after the job had been planned.',
        },
        {
          ...failure,
          line: 5,
          offset: 12,
          reason: 'Record 4 was not scored. The file was changed after the job had been planned.',
        },
      ],
    });
  });

  it.each([1, 3])('that makes the engine crash fails alone, on %i lanes, and its file counts once', async (lanes) => {
    const world = jobWorld({ unit: 'records' });
    await world.put({ 'in/f.csv': 'v0\nv1\ncrash\nv3\nv4\ncrash\n', 'in/g.csv': 'w0\n' });
    await world.accept('job', { miniBatchSize: 2, maxRetries: 2, instanceCount: lanes });
    expect(await world.run('job')).toMatchObject({
      state: 'completed',
      totals: { files: 2, filesDone: 1, filesFailed: 1, rows: 3 },
      failures: [
        { file: 'f.csv', line: 3, offset: 6, reason: 'Records 2 to 3 were not scored. the engine crashed' },
        { file: 'f.csv', line: 5, offset: 15, reason: 'Records 4 to 5 were not scored. the engine crashed' },
      ],
    });
    expect(await world.text('out/predictions.csv')).toBe(`${lines(0, 1)}g.csv,0,w0\n`);
  });

  it('counts with its file for the error threshold', async () => {
    const world = jobWorld({ unit: 'records' });
    await world.put({ 'in/f.csv': 'crash\ncrash\nv\n', 'in/g.csv': 'w\n' });
    await world.accept('one', { maxRetries: 1, errorThreshold: 1, instanceCount: 2 });
    expect(await world.run('one')).toMatchObject({ state: 'completed', totals: { filesFailed: 1, rows: 2 } });
    await world.accept('none', { maxRetries: 1, errorThreshold: 0, instanceCount: 2 }, { output: null });
    expect(await world.run('none')).toMatchObject({ state: 'failed', reason: { code: 'ErrorThresholdExceeded' } });
  });

  it('of a Parquet file whose page is damaged fails, and leaves the others', async () => {
    const bytes = new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'a', data: Array.from({ length: 6 }, (_, row) => `text ${row}`), type: 'STRING' },
          { name: 'b', data: [0, 1, 2, 3, 4, 5], type: 'DOUBLE' },
        ],
        rowGroupSize: [2],
        codec: 'UNCOMPRESSED',
      }),
    );
    // The length of the first text of the second row group.
    const at = Buffer.from(bytes).indexOf('text 2');
    bytes.fill(0xff, at - 4, at);
    const world = jobWorld({ engine: recordEngine() });
    await world.put({});
    await world.data.write({ container: 'data', name: 'in/f.parquet' }, bytes);
    await world.accept('job', { miniBatchSize: 2 }, { extensions: Extensions.parse({ miniBatchUnit: 'records' }) });
    expect(await world.run('job')).toMatchObject({
      state: 'completed',
      totals: { filesDone: 0, filesFailed: 1, rows: 4 },
      failures: [
        {
          file: 'f.parquet',
          code: 'BadParquet',
          reason: expect.stringMatching(/^Records 2 to 3 were not scored\. Column 'a' cannot be read: /) as string,
        },
      ],
    });
    const rows = [0, 1, 4, 5].map((row) => `f.parquet,${row},text ${row},${row}`);
    expect(await world.text('out/predictions.csv')).toBe(['file,row,a,b', ...rows, ''].join('\n'));
  });

  it('is not cut by a plan that cannot read its file', async () => {
    const faulty = (blobs: Blobs) =>
      withFaults(blobs, [
        { operation: 'read', times: 2, fault: { kind: 'refuse', status: 412, code: 'ConditionNotMet' } },
      ]);
    const world = jobWorld({ unit: 'records', faulty });
    await world.put(input(3));
    await world.accept('job', { miniBatchSize: 1, instanceCount: 3 });
    expect(await planned(world, 'job')).toBe(1);
    await world.commit('job', [await world.lane('job', 0)]);
    expect(await world.text('out/predictions.csv')).toBe(lines(0, 1, 2));
  });

  it('that kills its process is found in a mini-batch of several, and the errors say which records are missing', async () => {
    const world = jobWorld({ unit: 'bytes' });
    await world.put({ 'in/f.csv': 'v0\nv1\nv2\nv3\nv4\nv5\nv6\n', 'in/g.csv': 'w0\n', 'in/h.csv': 'x0\n' });
    await world.accept('job', { miniBatchSize: 9 });
    await planned(world, 'job');
    // The last range of the one file shares its mini-batch with the other files.
    const { most, result } = await deliver(world, ['f.csv:6', 'h.csv']);
    expect(most).toBeLessThanOrEqual(TRIES);
    await world.commit('job', [result]);
    expect(await world.record('job')).toMatchObject({
      state: 'completed',
      totals: { files: 3, filesDone: 1, filesFailed: 2, rows: 7 },
      failures: [
        {
          file: 'f.csv',
          line: 7,
          offset: 18,
          reason: `Record 6 was not scored. ${died('f.csv', 4).reason.replace('this file', 'these records')}`,
        },
        died('h.csv', 4),
      ],
    });
    const rows = [0, 1, 2, 3, 4, 5].map((i) => `f.csv,${i},v${i}`);
    expect(await world.text('out/predictions.csv')).toBe(['file,row,value', ...rows, 'g.csv,0,w0', ''].join('\n'));
  });
});

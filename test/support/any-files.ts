import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { gzipSync } from 'node:zlib';
import type { MiniBatchUnit } from '../../shared/domain/mini-batch-unit.ts';
import { Extensions } from '../../shared/domain/settings.ts';
import type { FileEngine } from '../../shared/scoring/engine.ts';
import { jobWorld, type JobWorld } from './job-world.ts';
import { recordEngine } from './record-engine.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

export interface Way {
  readonly unit: MiniBatchUnit;
  readonly miniBatchSize: number;
  readonly lanes?: number;
  readonly sliceMs?: number;
  readonly blockBytes?: number;
  readonly maxRetries?: number;
  readonly engine?: FileEngine;
}

export async function worldOf(
  files: Files,
  { sliceMs = 0, blockBytes = 64, engine = recordEngine() }: Partial<Way> = {},
): Promise<JobWorld> {
  const world = jobWorld({ engine, sliceMs, blockBytes });
  await world.put({});
  for (const [name, content] of Object.entries(files))
    await world.data.write({ container: 'data', name: `in/${name}` }, Buffer.from(content));
  return world;
}

export const accept = (world: JobWorld, { unit, miniBatchSize, lanes = 1, maxRetries = 3 }: Way) =>
  world.accept(
    'job',
    { miniBatchSize, instanceCount: lanes, maxRetries },
    { extensions: Extensions.parse({ miniBatchUnit: unit, missing: 'nan' }) },
  );

/** All that a user sees of a job. */
export async function outcome(files: Files, way: Way) {
  const world = await worldOf(files, way);
  await accept(world, way);
  const record = await world.run('job');
  return {
    state: record.state,
    reason: 'reason' in record ? record.reason : undefined,
    totals: 'totals' in record ? record.totals : undefined,
    failures: 'failures' in record ? record.failures : undefined,
    output: await world.text('out/predictions.csv'),
    errors: await world.text('out/predictions.csv.errors.jsonl'),
  };
}

export const whole: Way = { unit: 'files', miniBatchSize: 2 };

const line = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('x', '"q,""\n"', 'é', '"\r\n"'), fc.integer()).map(String) },
  { weight: 2, arbitrary: fc.constantFrom('x,bad', '1', '') },
  { weight: 1, arbitrary: fc.constantFrom('y,z,1', '"a"b,1') },
);
const csv = fc
  .record({
    mark: fc.constantFrom('', '\uFEFF'),
    header: fc.constantFrom('a,b', 'a,b', 'b,a', 'c,d,e'),
    end: fc.constantFrom('\n', '\r\n'),
    lines: fc.array(line, { maxLength: 14 }),
    broken: fc.constantFrom('', '', '', '', '"open', 'x,1'),
  })
  .map(({ mark, header, end, lines, broken }) => mark + [header, ...lines, broken].join(end));
const allBad = fc.integer({ min: 1, max: 12 }).map((count) => `a,b\n${'x,bad\n'.repeat(count)}`);
const jsonl = fc
  .array(
    fc.constantFrom('{"a":"x","b":1}', '{"b":2}', '["x",1]', '{"a":"y","b":"bad"}', '', 'no json', '{"c":1}', ' '),
    { maxLength: 14 },
  )
  .map((lines) => lines.join('\n'));
const parquet = fc.record({ rows: fc.integer({ min: 1, max: 40 }), group: fc.integer({ min: 1, max: 9 }) }).map(
  ({ rows, group }) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'a', data: Array.from({ length: rows }, (_, row) => `t${row}`), type: 'STRING' },
          { name: 'b', data: Array.from({ length: rows }, (_, row) => (row % 5 === 4 ? null : row)), type: 'DOUBLE' },
        ],
        rowGroupSize: [group],
      }),
    ),
);
/** Files of every format, some of them broken. */
export const inputs = fc
  .array(
    fc.oneof(
      csv.map((text) => ['csv', text] as const),
      csv.map((text) => ['csv', text] as const),
      allBad.map((text) => ['csv', text] as const),
      csv.map((text) => ['csv.gz', new Uint8Array(gzipSync(text))] as const),
      jsonl.map((text) => ['jsonl', text] as const),
      parquet.map((bytes) => ['parquet', bytes] as const),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((made) => Object.fromEntries(made.map(([ending, content], place) => [`f${place}.${ending}`, content])));

import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { MiniBatchUnit } from '../../../shared/domain/mini-batch-unit.ts';
import { Extensions, ScoringSettings } from '../../../shared/domain/settings.ts';
import { jobWorld, planned, type JobWorld } from '../../support/job-world.ts';
import { recordEngine } from '../../support/record-engine.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

interface Way {
  readonly unit: MiniBatchUnit;
  readonly miniBatchSize: number;
  readonly lanes?: number;
  readonly sliceMs?: number;
  readonly blockBytes?: number;
}

async function worldOf(files: Files, { sliceMs = 0, blockBytes = 64 }: Partial<Way> = {}): Promise<JobWorld> {
  const world = jobWorld({ engine: recordEngine(), sliceMs, blockBytes });
  await world.put({});
  for (const [name, content] of Object.entries(files))
    await world.data.write({ container: 'data', name: `in/${name}` }, Buffer.from(content));
  return world;
}

const accept = (world: JobWorld, { unit, miniBatchSize, lanes = 1 }: Way) =>
  world.accept(
    'job',
    { miniBatchSize, instanceCount: lanes },
    { extensions: Extensions.parse({ miniBatchUnit: unit, missing: 'nan' }) },
  );

/** All that a user sees of a job. */
async function outcome(files: Files, way: Way) {
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

const whole: Way = { unit: 'files', miniBatchSize: 2 };

async function miniBatchesOf(files: Files, way: Way) {
  const world = await worldOf(files, way);
  await accept(world, way);
  const lanes = await planned(world, 'job');
  const { manifest } = await world.deps.files.plan('job');
  return { lanes, count: manifest.lanes.at(-1)?.to, cut: manifest.files.filter(({ split }) => split).length };
}

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
const inputs = fc
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

describe('whatever mini-batches are made of', () => {
  it('output, errors, failures and totals are those of whole files, byte for byte', async () => {
    const ways = fc.record({
      unit: fc.constantFrom('records' as const, 'bytes' as const),
      miniBatchSize: fc.integer({ min: 1, max: 60 }),
      lanes: fc.integer({ min: 1, max: 5 }),
      sliceMs: fc.constantFrom(0, 60_000),
      blockBytes: fc.constantFrom(16, 4096),
    });
    let cut = 0;
    await fc.assert(
      fc.asyncProperty(inputs, ways, async (files, way) => {
        expect(await outcome(files, way)).toEqual(await outcome(files, whole));
        cut += (await miniBatchesOf(files, way)).cut;
      }),
      { numRuns: 80, seed: 20_261_121 },
    );
    expect(cut).toBeGreaterThan(50);
  });

  it.each([0, 1, 2, 300])('a file of %i records is scored once, in order', async (rows) => {
    const files = { 'f.csv': `a,b\n${Array.from({ length: rows }, (_, row) => `x,${row}\n`).join('')}` };
    for (const unit of ['records', 'bytes'] as const)
      for (const miniBatchSize of [1, 7, 100_000])
        expect(await outcome(files, { unit, miniBatchSize, lanes: 4, sliceMs: 60_000 })).toEqual(
          await outcome(files, whole),
        );
  });
});

describe('small files', () => {
  const tiny = (count: number): Files =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${String(i).padStart(5, '0')}.csv`, 'a,b\nx,1\n']));

  it.each([
    ['records' as const, 100, 5],
    ['bytes' as const, 800, 5],
    ['records' as const, 1, 500],
    ['bytes' as const, 1, 500],
  ])('are packed into mini-batches of about so many %s: %i', async (unit, miniBatchSize, count) => {
    expect(await miniBatchesOf(tiny(500), { unit, miniBatchSize })).toEqual({ lanes: 1, count, cut: 0 });
  });
});

describe('settings', () => {
  it('a plan that was written before there were units means files', async () => {
    const world = await worldOf({ 'a.csv': 'a,b\nx,1\n', 'b.csv': 'a,b\nx,2\n' });
    await accept(world, { unit: 'files', miniBatchSize: 1 });
    await planned(world, 'job');
    const { manifest } = await world.deps.files.plan('job');
    expect(manifest).not.toHaveProperty('miniBatches');
    expect(manifest.files.every((file) => !('split' in file))).toBe(true);
    expect(ScoringSettings.parse({}).miniBatchSize).toBe(10);
  });
});

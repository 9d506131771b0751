import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScoringSettings } from '../../../shared/domain/settings.ts';
import { accept, inputs, outcome, whole, worldOf, type Files, type Way } from '../../support/any-files.ts';
import { planned } from '../../support/job-world.ts';

async function miniBatchesOf(files: Files, way: Way) {
  const world = await worldOf(files, way);
  await accept(world, way);
  const lanes = await planned(world, 'job');
  const { manifest } = await world.deps.files.plan('job');
  return { lanes, count: manifest.lanes.at(-1)?.to, cut: manifest.files.filter(({ split }) => split).length };
}

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

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutOfMemory, TimedOut, type FileEngine, type ScoredPart } from '../../../shared/scoring/engine.ts';
import type { Blobs } from '../../../shared/storage/ports.ts';
import { inputs, outcome, whole } from '../../support/any-files.ts';
import { namesAndContents } from '../../support/code-engine.ts';
import { codeWorlds, names } from '../../support/code-world.ts';
import { jobWorld, numbered } from '../../support/job-world.ts';
import { withFaults } from '../../support/faulty-blobs.ts';
import { recordEngine } from '../../support/record-engine.ts';

/** Scores at most so many good records of what can be cut; more are too much for it. */
function weak(most: number, fault: () => Error, seen: number[] = []): FileEngine {
  const engine = recordEngine();
  return {
    ...engine,
    async *score(file, options, signal) {
      const parts: ScoredPart[] = [];
      for await (const part of engine.score(file, options, signal)) parts.push(part);
      const rows = parts.reduce((sum, part) => sum + part.rows, 0);
      seen.push(rows);
      if (rows > most && !/\.(gz|parquet)$/.test(file.name)) throw fault();
      yield* parts;
    },
  };
}

describe('a mini-batch that is too much for the engine', () => {
  it('is halved until it is not: output, errors and totals are those of an engine that can do all at once', async () => {
    const ways = fc.record({
      unit: fc.constantFrom('files' as const, 'records' as const, 'bytes' as const),
      miniBatchSize: fc.integer({ min: 1, max: 60 }),
      lanes: fc.integer({ min: 1, max: 3 }),
      most: fc.integer({ min: 1, max: 4 }),
      fault: fc.constantFrom(
        () => new TimedOut(1),
        () => new OutOfMemory('full'),
      ),
    });
    const sameTries = (text: unknown): unknown =>
      JSON.parse(JSON.stringify(text).replace(/"attempts(\\?)":\d+/g, '"attempts$1":1'));
    let halved = 0;
    await fc.assert(
      fc.asyncProperty(inputs, ways, async (files, { most, fault, ...way }) => {
        const seen: number[] = [];
        const found = await outcome(files, { ...way, maxRetries: 50, engine: weak(most, fault, seen) });
        expect(sameTries(found)).toEqual(sameTries(await outcome(files, whole)));
        halved += seen.filter((rows) => rows > most).length;
      }),
      { numRuns: 60, seed: 20_261_122 },
    );
    expect(halved).toBeGreaterThan(60);
  });

  it('of one record fails as it did', async () => {
    const engine = weak(0, () => new TimedOut(1));
    const found = await outcome({ 'f.csv': 'a,b\nx,1\ny,bad\n' }, { ...whole, maxRetries: 4, engine });
    expect(found).toMatchObject({
      state: 'failed',
      totals: { filesDone: 0, filesFailed: 1, rows: 0 },
      failures: expect.arrayContaining([
        expect.objectContaining({ file: 'f.csv', code: 'Timeout', attempts: 4 }),
      ]) as unknown,
    });
  });

  it('is not halved for another fault, nor after its last try', async () => {
    const csv = `a,b\n${Array.from({ length: 8 }, (_, row) => `x,${row}\n`).join('')}`;
    const crashed: number[] = [];
    await outcome({ 'f.csv': csv }, { ...whole, engine: weak(1, () => new Error('crashed'), crashed) });
    expect(crashed).toEqual([8, 8, 8]);
    const timed: number[] = [];
    await outcome({ 'f.csv': csv }, { ...whole, maxRetries: 1, engine: weak(1, () => new TimedOut(1), timed) });
    expect(timed).toEqual([8]);
    const twice: number[] = [];
    await outcome({ 'f.csv': csv }, { ...whole, maxRetries: 2, engine: weak(4, () => new TimedOut(1), twice) });
    expect(twice).toEqual([8, 4, 4]);
  });

  it('is tried again as it is when storage does not let it be looked into', async () => {
    const seen: number[] = [];
    const faulty = (blobs: Blobs) =>
      withFaults(blobs, [
        { operation: 'read', nth: 2, fault: { kind: 'refuse', status: 403, code: 'AuthorizationFailure' } },
      ]);
    const world = jobWorld({ faulty, engine: weak(1, () => new TimedOut(1), seen) });
    await world.put({ 'in/f.csv': 'a,b\nx,1\ny,2\n' });
    await world.accept('job');
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { rows: 2 } });
    expect(seen).toEqual([2, 2, 1, 1]);
    expect(await world.text('out/predictions.csv')).toBe('file,row,a,b\nf.csv,0,x,1\nf.csv,1,y,2\n');
  });
});

describe('a mini-batch that is too much for a script', () => {
  const worlds = codeWorlds();

  it('is halved, file by file, and each half has its own time', async () => {
    const seen: string[][] = [];
    const world = worlds.world(async (call) => {
      seen.push(names(call.files));
      if (call.files.length > 2) throw new OutOfMemory('full');
      return namesAndContents(call);
    });
    await world.put(numbered(5));
    await world.accept('job', { miniBatchSize: 5 });
    expect(await world.run('job')).toMatchObject({ state: 'completed', totals: { filesDone: 5, rows: 5 } });
    const [a, b, c, d, e] = Object.keys(numbered(5)).map((name) => name.slice('in/'.length));
    expect(seen).toEqual([[a, b, c, d, e], [a, b, c], [a, b], [c], [d, e]]);
    expect(await world.text('out/predictions.csv')).toBe(
      'prediction\nf000.csv v0\nf001.csv v1\nf002.csv v2\nf003.csv v3\nf004.csv v4\n',
    );
  });
});

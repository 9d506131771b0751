import { describe, expect, it } from 'vitest';
import { jobWorld, numbered } from '../../support/job-world.ts';

describe('a plan', () => {
  it.each([
    [4, 1, 'TooManyFiles', 'The input holds more files than the 3 that a job may have.'],
    [3, 1, 'TooManyMiniBatches', 'The job has 3 mini-batches, and may have at most 2: raise miniBatchSize.'],
  ])('of %i files, %i in a mini-batch, is too large', async (files, miniBatchSize, code, message) => {
    const world = jobWorld({ limits: { files: 3, miniBatches: 2 } });
    await world.put(numbered(files));
    await world.accept('large', { miniBatchSize });
    expect(await world.run('large')).toMatchObject({ state: 'failed', reason: { code, message } });
    expect(world.engine.seen).toEqual([]);
  });

  it.each(['records', 'bytes'] as const)('of %s is too large while it is made', async (unit) => {
    const world = jobWorld({ limits: { miniBatches: 2 }, unit });
    await world.put({ 'in/a.csv': 'v\n'.repeat(5) });
    await world.accept('large', { miniBatchSize: 2 });
    const message = 'The job has more than 2 mini-batches, and may have at most 2: raise miniBatchSize.';
    expect(await world.run('large')).toMatchObject({
      state: 'failed',
      reason: { code: 'TooManyMiniBatches', message },
    });
  });

  it('may be as large as the limits', async () => {
    const world = jobWorld({ limits: { files: 3, miniBatches: 2 } });
    await world.put(numbered(3));
    await world.accept('fits', { miniBatchSize: 2 });
    expect(await world.run('fits')).toMatchObject({ state: 'completed', totals: { filesDone: 3 } });
  });

  it('of a list of blobs has the same limit', async () => {
    const world = jobWorld({ limits: { files: 1 } });
    await world.put(numbered(2));
    await world.deps.files.writeInput('listed', [
      { blob: 'in/f000.csv', etag: 'a' },
      { blob: 'in/f001.csv', etag: 'b' },
    ]);
    await world.accept('listed', {}, { listedInput: true });
    expect(await world.run('listed')).toMatchObject({ state: 'failed', reason: { code: 'TooManyFiles' } });
  });
});

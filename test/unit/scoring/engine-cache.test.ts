import { describe, expect, test } from 'vitest';
import { engineCache } from '../../../shared/scoring/engine-cache.ts';
import type { Engine } from '../../../shared/scoring/engine.ts';

/** Loads engines that only know their name, and writes down what happens to them. */
function loader() {
  const log: string[] = [];
  const failures = new Map<string, Error>();
  return {
    log,
    failures,
    async load(key: string): Promise<Engine> {
      log.push(`load ${key}`);
      await Promise.resolve();
      const failure = failures.get(key);
      if (failure !== undefined) throw failure;
      return {
        kind: 'file',
        takesParts: true,
        columns: [key],
        score: () => {
          throw new Error('not scored here');
        },
        close: async () => {
          log.push(`close ${key}`);
        },
      };
    },
  };
}

function cacheOver(load: (key: string) => Promise<Engine>, limit: { maxEngines: number }) {
  const cache = engineCache(limit);
  return { lease: (key: string) => cache.lease(key, () => load(key)), close: () => cache.close() };
}

describe('engineCache', () => {
  test('loads a key once, however many ask at once', async () => {
    const { load, log } = loader();
    const cache = cacheOver(load, { maxEngines: 2 });
    const leases = await Promise.all([cache.lease('a'), cache.lease('a'), cache.lease('a')]);
    expect(new Set(leases.map(({ engine }) => engine)).size).toBe(1);
    leases.forEach((lease) => lease.release());
    (await cache.lease('a')).release();
    expect(log).toEqual(['load a']);
  });

  test('a failed load is told to all who asked, and tried again', async () => {
    const { load, log, failures } = loader();
    const cache = cacheOver(load, { maxEngines: 2 });
    const failure = new Error('no such model');
    failures.set('a', failure);
    const results = await Promise.allSettled([cache.lease('a'), cache.lease('a')]);
    expect(results).toEqual([
      { status: 'rejected', reason: failure },
      { status: 'rejected', reason: failure },
    ]);
    failures.delete('a');
    expect((await cache.lease('a')).engine.columns).toEqual(['a']);
    expect(log).toEqual(['load a', 'load a']);
  });

  test('closes the least recently used engine above the limit', async () => {
    const { load, log } = loader();
    const cache = cacheOver(load, { maxEngines: 2 });
    for (const key of ['a', 'b', 'a', 'c']) (await cache.lease(key)).release();
    expect(log).toEqual(['load a', 'load b', 'load c', 'close b']);
  });

  test('never closes an engine in use: it goes when it is released, once', async () => {
    const { load, log } = loader();
    const cache = cacheOver(load, { maxEngines: 1 });
    const a = await cache.lease('a');
    const again = await cache.lease('a');
    const b = await cache.lease('b');
    a.release();
    a.release();
    expect(log).toEqual(['load a', 'load b']);
    again.release();
    await Promise.resolve();
    expect(log).toEqual(['load a', 'load b', 'close a']);
    b.release();
    expect(log).toHaveLength(3);
  });

  test('close ends idle engines now, leased ones at their release, and refuses new leases', async () => {
    const { load, log } = loader();
    const cache = cacheOver(load, { maxEngines: 5 });
    const a = await cache.lease('a');
    (await cache.lease('b')).release();
    await cache.close();
    expect(log).toEqual(['load a', 'load b', 'close b']);
    a.release();
    await cache.close();
    expect(log.at(-1)).toBe('close a');
    await expect(cache.lease('a')).rejects.toThrow('The engine cache is closed.');
  });
});

import type { Engine } from './engine.ts';

export interface EngineLease {
  readonly engine: Engine;
  /** The engine may be closed from now on. Releasing twice is releasing once. */
  release(): void;
}

export interface EngineCache {
  /** The engine under this key, loaded when it is not there. It stays open until the lease is released. */
  lease(key: string, load: () => Promise<Engine>): Promise<EngineLease>;
  /** Closes the engines that are idle, and the others when their last lease is released. */
  close(): Promise<void>;
}

interface Entry {
  readonly engine: Promise<Engine>;
  leases: number;
}

/**
 * Keeps loaded engines, by key. However many ask at once, a key is loaded once; a failed load is not kept. Above
 * `maxEngines` the least recently used idle engine is closed; engines in use may exceed the limit for as long.
 */
export function engineCache({ maxEngines }: { readonly maxEngines: number }): EngineCache {
  // A Map keeps the order of insertion: each lease puts its key at the end, so the first idle one is the oldest.
  const entries = new Map<string, Entry>();
  const closing = new Set<Promise<void>>();
  let closed = false;

  function closeEntry(key: string, entry: Entry): void {
    entries.delete(key);
    const done = entry.engine.then((engine) => engine.close());
    closing.add(done);
    // The promise stays in the set when it fails: close() reports it.
    done.then(
      () => closing.delete(done),
      () => undefined,
    );
  }

  function closeIdle(limit: number): void {
    for (const [key, entry] of entries) {
      if (entries.size <= limit) return;
      if (entry.leases === 0) closeEntry(key, entry);
    }
  }

  return {
    async lease(key, load) {
      if (closed) throw new Error('The engine cache is closed.');
      const entry = entries.get(key) ?? { engine: load(), leases: 0 };
      entry.leases++;
      entries.delete(key);
      entries.set(key, entry);
      let engine: Engine;
      try {
        engine = await entry.engine;
      } catch (error) {
        if (entries.get(key) === entry) entries.delete(key);
        throw error;
      }
      closeIdle(maxEngines);
      let released = false;
      return {
        engine,
        release() {
          if (released) return;
          released = true;
          entry.leases--;
          closeIdle(closed ? 0 : maxEngines);
        },
      };
    },
    async close() {
      closed = true;
      closeIdle(0);
      await Promise.all(closing);
    },
  };
}

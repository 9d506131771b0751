import type { Blobs, Queue, Table } from '../../shared/storage/ports.ts';

/** Thrown in the place of a process that died: no code may take it for an answer of storage. */
export class Crash extends Error {}

/**
 * Lets the process die at its nth write, before the write or just after it: from then on every write fails, until `restart`.
 * Without `nth` it only counts.
 */
export function crashAt(nth = Infinity, when: 'before' | 'after' = 'before') {
  let writes = 0;
  let dead = false;
  const write = async <T>(run: () => Promise<T>): Promise<T> => {
    if (dead) throw new Crash('dead');
    writes += 1;
    dead = writes === nth;
    if (dead && when === 'before') throw new Crash('died before a write');
    const answer = await run();
    if (dead && writes === nth) throw new Crash('died after a write');
    return answer;
  };
  return {
    writes: () => writes,
    died: () => writes >= nth,
    restart: () => void (dead = false),
    write,
    table: (table: Table): Table => ({
      ...table,
      insert: (key, values) => write(() => table.insert(key, values)),
      replace: (key, values, etag) => write(() => table.replace(key, values, etag)),
      remove: (key, etag) => write(() => table.remove(key, etag)),
    }),
    blobs: (blobs: Blobs): Blobs => ({
      ...blobs,
      write: (ref, body, options) => write(() => blobs.write(ref, body, options)),
    }),
    queue: (queue: Queue): Queue => ({ send: (text, delay) => write(() => queue.send(text, delay)) }),
  };
}

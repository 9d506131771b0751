import { StorageFault, type Blobs, type Queue, type Table } from '../../shared/storage/ports.ts';

export type Crashes = ReturnType<typeof crashes>;

/** Thrown in the place of a process that died. */
const died = (): StorageFault => new StorageFault('write', 0, 'ECONNRESET');

export type When = 'dies before' | 'dies after' | 'fails before' | 'fails after';

/**
 * A process that meets its fate at a chosen write: it dies (every later write fails too, until `restart`), or only that write
 * fails; before the write is done, or after, so that only its answer is lost.
 */
export function crashes() {
  let writes = 0;
  let dead = false;
  let nth = Infinity;
  let when: When = 'dies before';
  const write = async <T>(run: () => Promise<T>): Promise<T> => {
    if (dead) throw died();
    writes += 1;
    const isDue = writes === nth;
    dead = isDue && when.startsWith('dies');
    if (isDue && when.endsWith('before')) throw died();
    const answer = await run();
    if (isDue) throw died();
    return answer;
  };
  return {
    /** Meets its fate at the nth write from now on. */
    arm(at: number, how: When): void {
      [writes, nth, when] = [0, at, how];
    },
    /** Writes since `arm`. */
    writes: () => writes,
    restart(): void {
      dead = false;
    },
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

import { setImmediate as turn } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { ScoredPart } from '../engine.ts';
import type { BatchMemory } from './batch-memory.ts';
import { fromSent, type FromSecond, type ToSecond } from './protocol.ts';
import { readBatch, sharedBatch, writeBatch, type BatchRest, type SharedBatch } from './shared-batch.ts';

/** What became of a batch. */
export type Outcome = { readonly part: ScoredPart } | { readonly error: unknown };

interface LentBatch {
  readonly records: number;
  readonly answer: (outcome: Outcome) => void;
}

/** The threads that score batches of a file beside the one that reads it. They come and go while it is read. */
export interface SecondThreads {
  /** A thread that is there from now on, until it or we close the port. */
  add(port: MessagePort): void;
  /**
   * Copies the batch in memory to the thread with most room; `answer` hears of it. False when none has room, or when a record
   * takes so little, `recordMs`, that so many are not worth the way.
   */
  lend(records: number, recordMs: number, answer: (outcome: Outcome) => void): boolean;
  /** Puts a batch back into memory whose thread went away with it unscored; whoever takes it has to score it. */
  takeReturned(): LentBatch | undefined;
  /** Lets answers come in. */
  hear(): Promise<void>;
  /** Until the next answer, or the loss of a thread. */
  change(): Promise<void>;
  /** No more batches of this file. */
  close(): void;
}

/** One that is scored and one that waits, so that a thread need not wait for the reader. */
const LENT_TO_A_THREAD = 2;
/** A file of so many batches is worth another thread. */
const LONG_FILE = 2;
/** Handing over a batch takes about half of it; a model that takes one record at a time is mostly quicker. */
const WORTH_MS = 0.2;

interface Second {
  readonly port: MessagePort;
  readonly free: SharedBatch[];
  readonly lent: Map<number, LentBatch & { readonly batch: SharedBatch; readonly rest: BatchRest }>;
}

/** `wanted` hears, once, that the file is long enough for more threads. */
export function secondThreads(
  memory: BatchMemory,
  wanted: () => void = () => undefined,
  worthMs = WORTH_MS,
): SecondThreads {
  const seconds = new Set<Second>();
  const returned: (LentBatch & { readonly batch: SharedBatch; readonly rest: BatchRest })[] = [];
  let batches = 0;
  let closed = false;
  let changed = Promise.withResolvers<void>();

  const change = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };

  function heard(second: Second, answer: FromSecond): void {
    const lent = second.lent.get(answer.id);
    if (lent === undefined) throw new Error('A thread answered for a batch that it does not have.');
    second.lent.delete(answer.id);
    second.free.push(lent.batch);
    lent.answer('part' in answer ? { part: answer.part } : { error: fromSent(answer.error) });
    change();
  }

  return {
    add(port) {
      if (closed) {
        port.close();
        return;
      }
      const free = Array.from({ length: LENT_TO_A_THREAD }, () => sharedBatch(memory));
      const second: Second = { port, free, lent: new Map() };
      seconds.add(second);
      port.on('message', (answer: FromSecond) => {
        heard(second, answer);
      });
      port.on('close', () => {
        seconds.delete(second);
        returned.push(...second.lent.values());
        change();
      });
    },
    lend(records, recordMs, answer) {
      if (records === 0 || records * recordMs < worthMs) return false;
      if (++batches === LONG_FILE) wanted();
      const [second] = [...seconds].sort((a, b) => b.free.length - a.free.length);
      const batch = second?.free.pop();
      if (second === undefined || batch === undefined) return false;
      const rest = writeBatch(memory, batch, records);
      memory.bigIntegers.clear();
      second.lent.set(batches, { records, answer, batch, rest });
      second.port.postMessage({ id: batches, records, batch, rest } satisfies ToSecond);
      return true;
    },
    takeReturned() {
      const lent = returned.shift();
      if (lent !== undefined) readBatch(lent.batch, lent.rest, memory, lent.records);
      return lent;
    },
    async hear() {
      if (seconds.size > 0) await turn();
    },
    change: () => changed.promise,
    close() {
      closed = true;
      for (const { port } of seconds) port.close();
    },
  };
}

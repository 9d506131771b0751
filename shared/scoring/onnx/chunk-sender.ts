import type { Transferable } from 'node:worker_threads';
import { CHUNKS_IN_FLIGHT, CHUNK_BYTES, type ToWorker } from './protocol.ts';

/** Moves a file's bytes to a worker in buffers that go back and forth; no more are ever made than may be in flight. */
export interface ChunkSender {
  /** Sends all of `body` and then the end. `failed` hears the body's own error. */
  send(body: AsyncIterable<Uint8Array>, failed: (error: unknown) => void): { stop(): void };
  /** A buffer came back. */
  credit(buffer: ArrayBuffer): void;
}

export function chunkSender(post: (message: ToWorker, transfer: Transferable[]) => void): ChunkSender {
  const free: ArrayBuffer[] = [];
  let made = 0;
  let wake: (() => void) | undefined;

  async function buffer(stopped: () => boolean): Promise<ArrayBuffer | undefined> {
    for (;;) {
      if (stopped()) return undefined;
      const ready = free.pop();
      if (ready !== undefined) return ready;
      if (made < CHUNKS_IN_FLIGHT) {
        made++;
        return new ArrayBuffer(CHUNK_BYTES);
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  return {
    credit(returned) {
      free.push(returned);
      wake?.();
    },
    send(body, failed) {
      const iterator = body[Symbol.asyncIterator]();
      let ended = false;
      let stopped = false;
      // Small chunks are gathered and pooled ones copied: what is posted is always a buffer of our own, moved whole.
      let current: ArrayBuffer | undefined;
      let filled = 0;

      const flush = () => {
        if (current === undefined) return;
        post({ kind: 'chunk', buffer: current, length: filled }, [current]);
        current = undefined;
        filled = 0;
      };
      async function pump(): Promise<void> {
        for (;;) {
          const step = await iterator.next();
          if (stopped) return;
          if (step.done === true) break;
          const { value } = step;
          for (let from = 0; from < value.length;) {
            current ??= await buffer(() => stopped);
            if (current === undefined) return;
            const count = Math.min(CHUNK_BYTES - filled, value.length - from);
            new Uint8Array(current, filled, count).set(value.subarray(from, from + count));
            filled += count;
            from += count;
            if (filled === CHUNK_BYTES) flush();
          }
        }
        flush();
        post({ kind: 'end' }, []);
      }
      pump().then(
        () => (ended = true),
        (error: unknown) => {
          ended = true;
          if (!stopped) failed(error);
        },
      );
      return {
        stop() {
          stopped = true;
          wake?.();
          if (current !== undefined) free.push(current);
          current = undefined;
          if (ended) return;
          // Lets the source free its connection. Not waited for: a source that hangs must not hold the caller, and the
          // outcome of the file is already decided, so that a failure to close changes nothing.
          iterator.return?.().then(undefined, () => undefined);
        },
      };
    },
  };
}

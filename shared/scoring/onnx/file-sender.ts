import type { Worker } from 'node:worker_threads';
import type { FileToScore } from '../engine.ts';
import type { ChunkSender } from './chunk-sender.ts';
import { movable, type FromWorker, type ToWorker } from './protocol.ts';

/** Gives a worker the bytes of one file as it asks for them. */
export interface FileSender {
  answer(wish: Extract<FromWorker, { kind: 'stream' | 'range' }>): void;
  /** Nothing more is sent; the file's stream is closed. */
  stop(): void;
}

/** `failed` hears the file's own error, from its body or a range. The stream is not begun before the worker asks for it. */
export function fileSender(
  file: FileToScore,
  sender: ChunkSender,
  worker: Worker,
  failed: (error: unknown) => void,
): FileSender {
  let stopped = false;
  let sending: { stop(): void } | undefined;

  async function sendRange(offset: number, count: number): Promise<void> {
    const read = await file.range(offset, count);
    if (stopped) return;
    const bytes = movable(read);
    worker.postMessage({ kind: 'bytes', bytes } satisfies ToWorker, [bytes.buffer]);
  }

  // One after another, so that answers come in the order of asking.
  let ranges = Promise.resolve();
  return {
    answer(wish) {
      if (stopped) return;
      if (wish.kind === 'stream') {
        sending = sender.send(file.body, failed);
        return;
      }
      ranges = ranges
        .then(() => sendRange(wish.offset, wish.count))
        .catch((error: unknown) => {
          if (!stopped) failed(error);
        });
    },
    stop() {
      stopped = true;
      sending?.stop();
    },
  };
}

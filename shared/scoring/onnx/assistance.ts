import type { MessagePort, Transferable } from 'node:worker_threads';
import type { BatchScorer } from './batch-scorer.ts';
import type { LoadedModel } from './model.ts';
import { toSent, type FromSecond, type ToSecond } from './protocol.ts';
import { readBatch } from './shared-batch.ts';

/** A thread scores batches of a file that another thread reads. */
export interface Assistance {
  /** Ends it, at the latest after the batch under way; the reader takes back what was not begun. */
  recall(): void;
}

/** `over` hears that the thread is free, after the port was closed on either side. */
export function assistance(model: LoadedModel, scorer: BatchScorer, port: MessagePort, over: () => void): Assistance {
  let recalled = false;
  let work = Promise.resolve();

  async function answer({ id, records, batch, rest }: ToSecond): Promise<void> {
    if (recalled) return;
    readBatch(batch, rest, model.memory, records);
    let message: FromSecond;
    const transfer: Transferable[] = [];
    try {
      const part = await scorer.score(records);
      message = { id, part };
      if (part.bytes.buffer instanceof ArrayBuffer) transfer.push(part.bytes.buffer);
    } catch (error) {
      message = { id, error: toSent(error) };
    }
    port.postMessage(message, transfer);
  }

  port.on('message', (message: ToSecond) => {
    work = work.then(() => answer(message));
  });
  port.on('close', () => {
    recalled = true;
    void work.then(over);
  });
  return {
    recall() {
      recalled = true;
      void work.then(() => port.close());
    },
  };
}

import { MessageChannel } from 'node:worker_threads';
import type { ScoringOptions } from '../engine.ts';
import type { Loan, ScoringPlaces } from '../scoring-places.ts';
import type { ModelWorker } from './model-worker.ts';

/** An engine's threads, as somebody uses them. */
export interface Threads {
  /** One that does nothing. Throws what its start throws. */
  take(): Promise<ModelWorker>;
  giveBack(worker: ModelWorker): Promise<void>;
}

/** Further threads for one file. */
export interface FileLoans {
  /** Idle threads join `reader` from now on, and leave when others need them. */
  begin(): void;
  end(): void;
}

/** `failed` hears why a thread that could be lent did not start. */
export function fileLoans(
  places: ScoringPlaces,
  threads: Threads,
  reader: ModelWorker,
  file: { readonly name: string; readonly options: ScoringOptions },
  failed: (error: unknown) => void,
): FileLoans {
  const joined = new Set<ModelWorker>();
  let loan: Loan | undefined;
  let ended = false;
  let starting = 0;
  /** Of those that start. */
  let recalled = 0;

  async function start(): Promise<ModelWorker> {
    starting++;
    try {
      return await threads.take();
    } finally {
      starting--;
    }
  }

  async function join(): Promise<void> {
    const second = await start();
    try {
      if (recalled > 0) {
        recalled--;
        return;
      }
      if (ended) return;
      const { port1, port2 } = new MessageChannel();
      joined.add(second);
      const over = second.assist(port2, file.name, file.options);
      reader.join(port1);
      await over;
      joined.delete(second);
    } finally {
      await threads.giveBack(second);
    }
  }

  function recall(): void {
    const [second] = joined;
    if (second !== undefined) {
      joined.delete(second);
      second.recall();
    } else if (recalled < starting) recalled++;
  }

  return {
    begin() {
      const lend = () => {
        join()
          .catch(failed)
          .finally(() => loan?.returned());
      };
      loan = places.borrow({ lend, recall });
    },
    end() {
      ended = true;
      loan?.end();
    },
  };
}

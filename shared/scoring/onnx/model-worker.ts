import { Worker, type MessagePort, type Transferable } from 'node:worker_threads';
import type { FileToScore, ScoredPart, ScoringOptions } from '../engine.ts';
import type { Signature } from '../mlmodel.ts';
import { chunkSender } from './chunk-sender.ts';
import { fileSender } from './file-sender.ts';
import { endThread, leftNativeCode, nativeGuard } from './native-guard.ts';
import { fromSent, movable, type FromWorker, type ToWorker } from './protocol.ts';

/** A worker thread with the model in it. Scores one file at a time. */
export interface ModelWorker {
  readonly columns: readonly string[];
  /** False once the thread ended, or was stopped in the middle of a file: it must be replaced. */
  readonly usable: boolean;
  /** `long` hears, once, that the file is worth more threads. */
  score(
    file: FileToScore,
    options: ScoringOptions,
    signal: AbortSignal,
    long: () => void,
  ): AsyncGenerator<ScoredPart, void, undefined>;
  /** Gives the file that is scored one more thread, at the port's other side; the port closes at the latest with the file. */
  join(second: MessagePort): void;
  /** Scores batches for the thread at the port's other side. Resolves when it does so no more, or has ended. */
  assist(port: MessagePort, fileName: string, options: ScoringOptions): Promise<void>;
  /** Ends `assist`, at the latest after the batch that is scored. */
  recall(): void;
  /** Ends the thread, at the latest after the batch that it scores; a score under way throws. */
  stop(): Promise<void>;
}

type Event =
  | Extract<FromWorker, { kind: 'part' | 'done' | 'loaded' }>
  | { readonly kind: 'threw'; readonly error: unknown; readonly settled: boolean };

/** Starts a worker and loads the model in it. Throws ModelFault for the model, Error when the thread dies. */
export async function modelWorker(model: Uint8Array, signature: Signature | undefined): Promise<ModelWorker> {
  const script = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
  // The host's own flags (--input-type, --import of an agent) are not for this thread.
  const shared = nativeGuard();
  const worker = new Worker(script, { execArgv: [], workerData: shared });
  const post = (message: ToWorker, transfer: Transferable[] = []) => {
    worker.postMessage(message, transfer);
  };
  const sender = chunkSender(post);

  // What the current file's consumer has not seen yet: bounded, since parts need room and the others come once.
  let events: Event[] = [];
  let wake: (() => void) | undefined;
  let alive = true;
  let busy = true;
  /** Hears what the worker wants of the current file. */
  let asked: ((wish: Extract<FromWorker, { kind: 'stream' | 'range' }>) => void) | undefined;
  let foundLong: (() => void) | undefined;
  let assisted: (() => void) | undefined;

  const notify = (event: Event) => {
    events.push(event);
    wake?.();
  };
  async function nextEvent(): Promise<Event> {
    for (;;) {
      const event = events.shift();
      if (event !== undefined) return event;
      if (!alive) return { kind: 'threw', error: new Error('The scoring thread has ended.'), settled: false };
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const died = (error: Error) => {
    alive = false;
    notify({ kind: 'threw', error, settled: false });
    assisted?.();
  };
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'credit') sender.credit(message.buffer);
    else if (message.kind === 'stream' || message.kind === 'range') asked?.(message);
    else if (message.kind === 'long') foundLong?.();
    else if (message.kind === 'assisted') {
      busy = false;
      assisted?.();
    } else if (message.kind === 'failed') notify({ kind: 'threw', error: fromSent(message.error), settled: true });
    else notify(message);
  });
  worker.on('error', (error) => {
    died(new Error(`The scoring thread crashed: ${messageOf(error)}`, { cause: error }));
  });
  worker.on('exit', (code) => {
    // It may have died between its entry into native code and its leaving, and whoever ends it would wait for ever.
    leftNativeCode(shared);
    died(new Error(`The scoring thread has ended with code ${code}.`));
  });

  function stop(): Promise<void> {
    alive = false;
    return endThread(worker, shared);
  }

  async function* score(file: FileToScore, options: ScoringOptions, signal: AbortSignal, long: () => void) {
    if (!alive || busy) throw new Error('The scoring thread cannot take a file.');
    signal.throwIfAborted();
    busy = true;
    events = [];
    worker.ref();
    const abort = () => {
      events = [];
      notify({ kind: 'threw', error: signal.reason, settled: false });
      // Whether or not somebody waits for a part: a thread that scores has no other way to hear of it.
      void stop();
    };
    signal.addEventListener('abort', abort, { once: true });
    const sending = fileSender(file, sender, worker, (error) => {
      notify({ kind: 'threw', error, settled: false });
    });
    asked = sending.answer;
    foundLong = long;
    const { name, length, contentEncoding, part } = file;
    const bytes = file.bytes && movable(file.bytes);
    post({ kind: 'start', file: { name, length, contentEncoding, part }, options, bytes }, bytes && [bytes.buffer]);
    try {
      for (;;) {
        const event = await nextEvent();
        // The thread came to the file's end by itself: it can take the next one.
        if (event.kind === 'done' || (event.kind === 'threw' && event.settled)) busy = false;
        if (event.kind === 'done') {
          if (event.part) yield event.part;
          return;
        }
        if (event.kind === 'threw') throw event.error;
        if (event.kind === 'part') {
          yield event.part;
          post({ kind: 'taken' });
        }
      }
    } finally {
      signal.removeEventListener('abort', abort);
      asked = undefined;
      foundLong = undefined;
      sending.stop();
      if (busy) await stop();
      else worker.unref();
    }
  }

  function assist(port: MessagePort, fileName: string, options: ScoringOptions): Promise<void> {
    if (!alive || busy) throw new Error('The scoring thread cannot assist.');
    busy = true;
    worker.postMessage({ kind: 'assist', port, fileName, options } satisfies ToWorker, [port]);
    return new Promise((resolve) => (assisted = resolve));
  }

  post({ kind: 'load', model, signature });
  const first = await nextEvent();
  if (first.kind !== 'loaded') {
    await stop();
    throw first.kind === 'threw' ? first.error : new Error('The scoring thread did not load the model.');
  }
  busy = false;
  worker.unref();
  return {
    columns: first.columns,
    get usable() {
      return alive && !busy;
    },
    score,
    join: (port) => worker.postMessage({ kind: 'second', port } satisfies ToWorker, [port]),
    assist,
    recall: () => post({ kind: 'recall' }),
    stop,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

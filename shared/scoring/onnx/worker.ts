import { parentPort, workerData, type MessagePort, type Transferable } from 'node:worker_threads';
import type { ScoredPart, ScoringOptions } from '../engine.ts';
import { assistance, type Assistance } from './assistance.ts';
import { batchScorer } from './batch-scorer.ts';
import { scoreFile } from './file-scorer.ts';
import { memorySource, messageSource, type MessageSource } from './message-source.ts';
import { loadModel, type LoadedModel } from './model.ts';
import { guardedModel } from './native-guard.ts';
import { PARTS_IN_FLIGHT, toSent, type FileFacts, type FromWorker, type ToWorker } from './protocol.ts';
import { secondThreads, type SecondThreads } from './second-threads.ts';

const bufferOf = ({ bytes: { buffer } }: ScoredPart): Transferable[] => (buffer instanceof ArrayBuffer ? [buffer] : []);

/**
 * Thread of one model: scores one file after another, each part waits until there is room for it. Between files it scores batches
 * of a file that another thread reads.
 */
function serve(port: MessagePort, shared: Int32Array): void {
  let model: LoadedModel | undefined;
  let source: MessageSource | undefined;
  let seconds: SecondThreads | undefined;
  let assisting: Assistance | undefined;
  let room = PARTS_IN_FLIGHT;
  let roomMade: (() => void) | undefined;

  const send = (message: FromWorker, transfer: Transferable[] = []) => {
    port.postMessage(message, transfer);
  };

  async function emit(part: ScoredPart): Promise<void> {
    if (room === 0) await new Promise<void>((resolve) => (roomMade = resolve));
    room--;
    send({ kind: 'part', part }, bufferOf(part));
  }

  async function load({ model: bytes, signature }: Extract<ToWorker, { kind: 'load' }>): Promise<void> {
    model = await guardedModel(() => loadModel(bytes, signature), shared);
    send({ kind: 'loaded', columns: model.columns });
  }

  async function score({ file, options, bytes }: Extract<ToWorker, { kind: 'start' }>): Promise<void> {
    if (model === undefined) throw new Error('A file was started before the model was loaded.');
    if (bytes) return scoreSmall(model, file, bytes, options);
    source = messageSource(file.length, send);
    seconds = secondThreads(model.memory, () => send({ kind: 'long' }));
    try {
      await scoreFile(model, file, source, options, emit, seconds);
    } finally {
      source.close();
    }
    send({ kind: 'done' });
  }

  function assist({ port: reader, fileName, options }: Extract<ToWorker, { kind: 'assist' }>): void {
    if (model === undefined) throw new Error('A batch was sent before the model was loaded.');
    const scorer = batchScorer(model, fileName, options.outputFormat);
    assisting = assistance(model, scorer, reader, () => {
      assisting = undefined;
      send({ kind: 'assisted' });
    });
  }

  /** Its last part, mostly the only one, goes with the end. */
  async function scoreSmall(
    loaded: LoadedModel,
    file: FileFacts,
    bytes: Uint8Array,
    options: ScoringOptions,
  ): Promise<void> {
    let last: ScoredPart | undefined;
    await scoreFile(loaded, file, memorySource(file.length, bytes), options, async (part) => {
      if (last) await emit(last);
      last = part;
    });
    send({ kind: 'done', part: last }, last && bufferOf(last));
  }

  function handle(message: ToWorker): Promise<void> | undefined {
    switch (message.kind) {
      case 'load':
        return load(message);
      case 'start':
        return score(message);
      case 'chunk':
        source?.push(message.buffer, message.length);
        return undefined;
      case 'end':
        source?.end();
        return undefined;
      case 'bytes':
        source?.answer(message.bytes);
        return undefined;
      case 'taken':
        room++;
        roomMade?.();
        roomMade = undefined;
        return undefined;
      case 'second':
        seconds?.add(message.port);
        return undefined;
      case 'assist':
        assist(message);
        return undefined;
      case 'recall':
        assisting?.recall();
        return undefined;
    }
  }

  port.on('message', (message: ToWorker) => {
    handle(message)?.catch((error: unknown) => send({ kind: 'failed', error: toSent(error) }));
  });
}

if (parentPort === null) throw new Error('This file runs as a worker thread.');
if (!(workerData instanceof Int32Array)) throw new Error('This thread was started without its shared numbers.');
serve(parentPort, workerData);

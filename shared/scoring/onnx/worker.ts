import { parentPort, type MessagePort, type Transferable } from 'node:worker_threads';
import type { ScoredPart } from '../engine.ts';
import { fileScorer, type FileScorer } from './file-scorer.ts';
import { loadModel, type LoadedModel } from './model.ts';
import { PARTS_IN_FLIGHT, toSent, type FromWorker, type ToWorker } from './protocol.ts';

/** Thread of one model: messages are worked off one after another, each part waits until there is room for it. */
function serve(port: MessagePort): void {
  let model: LoadedModel | undefined;
  let scorer: FileScorer | undefined;
  let room = PARTS_IN_FLIGHT;
  let roomMade: (() => void) | undefined;
  let work = Promise.resolve();

  const send = (message: FromWorker, transfer: Transferable[] = []) => {
    port.postMessage(message, transfer);
  };

  async function emit(part: ScoredPart): Promise<void> {
    if (room === 0) await new Promise<void>((resolve) => (roomMade = resolve));
    room--;
    const { buffer } = part.bytes;
    send({ kind: 'part', part }, buffer instanceof ArrayBuffer ? [buffer] : []);
  }

  async function handle(message: Exclude<ToWorker, { kind: 'taken' }>): Promise<void> {
    switch (message.kind) {
      case 'load':
        model = await loadModel(message.model, message.signature);
        send({ kind: 'loaded', columns: model.columns });
        return;
      case 'start':
        if (model === undefined) throw new Error('A file was started before the model was loaded.');
        scorer = fileScorer(model, message.name, message.options, emit);
        return;
      case 'chunk':
        // Chunks may still come after a file has failed: their buffers go back all the same.
        try {
          await scorer?.push(new Uint8Array(message.buffer, 0, message.length));
        } finally {
          send({ kind: 'credit', buffer: message.buffer }, [message.buffer]);
        }
        return;
      case 'end':
        if (scorer === undefined) return;
        await scorer.end();
        scorer = undefined;
        send({ kind: 'done' });
    }
  }

  port.on('message', (message: ToWorker) => {
    if (message.kind === 'taken') {
      room++;
      roomMade?.();
      roomMade = undefined;
      return;
    }
    work = work
      .then(() => handle(message))
      .catch((error: unknown) => {
        scorer = undefined;
        send({ kind: 'failed', error: toSent(error) });
      });
  });
}

if (parentPort === null) throw new Error('This file runs as a worker thread.');
serve(parentPort);

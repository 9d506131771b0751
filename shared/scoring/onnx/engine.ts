import type { FileEngine } from '../engine.ts';
import type { Signature } from '../mlmodel.ts';
import { places } from '../places.ts';
import { modelWorker, type ModelWorker } from './model-worker.ts';

export interface OnnxModel {
  /** Content of the ONNX file. */
  readonly model: Uint8Array;
  /** From the model's MLmodel file: names the columns of a matrix input. */
  readonly signature?: Signature | undefined;
  /** Files that are scored at the same time, each in a worker thread with its own copy of the model. */
  readonly threads: number;
}

/**
 * An engine for an ONNX model and CSV files. The first thread is started here, the others when they are needed; a
 * thread that died or was stopped is replaced by the next file that needs it. An idle engine does not keep the process
 * alive. Throws ModelFault when the model cannot be used.
 */
export async function onnxEngine({ model, signature, threads }: OnnxModel): Promise<FileEngine> {
  if (!Number.isInteger(threads) || threads < 1) throw new RangeError(`threads must be at least 1, got ${threads}.`);
  const first = await modelWorker(model, signature);
  const idle: ModelWorker[] = [first];
  const workers = new Set<ModelWorker>([first]);
  const turns = places(threads);
  let closed = false;

  async function takeWorker(): Promise<ModelWorker> {
    for (let worker = idle.pop(); worker !== undefined; worker = idle.pop()) {
      if (worker.usable) return worker;
      workers.delete(worker);
    }
    const worker = await modelWorker(model, signature);
    workers.add(worker);
    return worker;
  }

  function assertOpen(): void {
    if (closed) throw new Error('The engine is closed.');
  }

  return {
    kind: 'file',
    takesParts: true,
    columns: first.columns,
    async *score(file, options, signal) {
      assertOpen();
      await turns.take(signal);
      try {
        assertOpen();
        const worker = await takeWorker();
        try {
          assertOpen();
          yield* worker.score(file, options, signal);
        } finally {
          if (worker.usable && !closed) {
            idle.push(worker);
          } else {
            workers.delete(worker);
            await worker.stop();
          }
        }
      } finally {
        turns.free();
      }
    },
    async close() {
      closed = true;
      const all = [...workers];
      workers.clear();
      idle.length = 0;
      await Promise.all(all.map((worker) => worker.stop()));
    },
  };
}

import type { FileEngine } from '../engine.ts';
import type { Signature } from '../mlmodel.ts';
import type { ScoringPlaces } from '../scoring-places.ts';
import { fileLoans, type Threads } from './file-loans.ts';
import { modelWorker, type ModelWorker } from './model-worker.ts';

export interface OnnxModel {
  /** Content of the ONNX file. */
  readonly model: Uint8Array;
  /** From the model's MLmodel file: names the columns of a matrix input. */
  readonly signature?: Signature | undefined;
  /** For as many worker threads as may run at the same time, each with its own copy of the model. */
  readonly places: ScoringPlaces;
}

/**
 * An engine for an ONNX model and CSV files. The first thread is started here, the others when they are needed; a
 * thread that died or was stopped is replaced by the next file that needs it. Threads that no file needs score batches of a
 * long file beside its own thread. An idle engine does not keep the process
 * alive. Throws ModelFault when the model cannot be used.
 */
export async function onnxEngine({ model, signature, places }: OnnxModel): Promise<FileEngine> {
  const first = await modelWorker(model, signature);
  const idle: ModelWorker[] = [first];
  const workers = new Set<ModelWorker>([first]);
  let closed = false;

  const threads: Threads = {
    async take() {
      assertOpen();
      for (let worker = idle.pop(); worker !== undefined; worker = idle.pop()) {
        if (worker.usable) return worker;
        workers.delete(worker);
      }
      const worker = await modelWorker(model, signature);
      workers.add(worker);
      return worker;
    },
    async giveBack(worker) {
      if (worker.usable && !closed) {
        idle.push(worker);
      } else {
        workers.delete(worker);
        await worker.stop();
      }
    },
  };

  function assertOpen(): void {
    if (closed) throw new Error('The engine is closed.');
  }

  return {
    kind: 'file',
    takesParts: true,
    columns: first.columns,
    async *score(file, options, signal) {
      assertOpen();
      await places.take(signal);
      try {
        const reader = await threads.take();
        const failed = new AbortController();
        const loans = fileLoans(places, threads, reader, { name: file.name, options }, (error) => failed.abort(error));
        try {
          assertOpen();
          yield* reader.score(file, options, AbortSignal.any([signal, failed.signal]), loans.begin);
        } finally {
          loans.end();
          await threads.giveBack(reader);
        }
      } finally {
        places.free();
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

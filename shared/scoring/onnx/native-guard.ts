import { setTimeout as wait } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { LoadedModel } from './model.ts';
import { IN_NATIVE_CODE, STOPPED } from './protocol.ts';

/**
 * ONNX Runtime ends the whole process (Napi::Error) when its thread is terminated inside it. So the thread says when it is
 * there, never enters once it is to stop, and is terminated only outside.
 */
export const nativeGuard = (): Int32Array => new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));

/** The thread runs no native code now, or has ended. */
export function leftNativeCode(shared: Int32Array): void {
  Atomics.store(shared, IN_NATIVE_CODE, 0);
}

/** For the thread: loads a model whose every call of ONNX Runtime is announced. */
export async function guardedModel(load: () => Promise<LoadedModel>, shared: Int32Array): Promise<LoadedModel> {
  const announced = async <T>(call: () => Promise<T>): Promise<T> => {
    // In this order: whoever stops us first sets STOPPED and then looks, so that one of the two sees the other.
    Atomics.store(shared, IN_NATIVE_CODE, 1);
    try {
      if (Atomics.load(shared, STOPPED) === 1) throw new Error('The scoring thread is being stopped.');
      return await call();
    } finally {
      leftNativeCode(shared);
    }
  };
  const model = await announced(load);
  return {
    ...model,
    run: (from, count) => announced(() => model.run(from, count)),
    works: () => announced(() => model.works()),
    close: () => announced(() => model.close()),
  };
}

const LOOK_EVERY_MS = 10;

/** For its owner: ends the thread as soon as it is outside ONNX Runtime, whatever else it does. */
export async function endThread(worker: Worker, shared: Int32Array): Promise<void> {
  Atomics.store(shared, STOPPED, 1);
  while (Atomics.load(shared, IN_NATIVE_CODE) === 1) await wait(LOOK_EVERY_MS);
  await worker.terminate();
}

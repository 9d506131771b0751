import { workerPool, type PoolLimits, type WorkerPool } from '../worker-pool.ts';
import type { WorkerPlan } from './worker-process.ts';
import { startWorker, type Worker } from './worker.ts';

/** A pool of Python workers that all run the same. */
export const pythonPool = (options: WorkerPlan & PoolLimits): Promise<WorkerPool<Worker>> =>
  workerPool<Worker>((index, starting, onStarted) => startWorker(options, index, starting, onStarted), options);

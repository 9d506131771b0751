import type { PrintedLine } from '../engine.ts';
import { residentBytes } from '../group-memory.ts';
import { places } from '../places.ts';
import { startWorker, type Limits, type Worker } from './worker.ts';
import type { WorkerPlan } from './worker-process.ts';

export interface PoolOptions extends WorkerPlan {
  /** Processes at most. */
  readonly workers: number;
  /** A worker that had nothing to do for this long ends. */
  readonly idleMs: number;
  /** Of resident memory that a worker and its children may use. Watched on Linux. */
  readonly memoryMb?: number | undefined;
  /** Gets what the first worker prints when it cannot start, which is before the first run. */
  readonly print?: ((line: PrintedLine) => void) | undefined;
}

export interface WorkerLease {
  readonly worker: Worker;
  release(): void;
}

export interface WorkerPool {
  /** A worker for one request, in the order of asking; started when there is none. Throws as `startWorker` does. */
  lease(limits: Pick<Limits, 'signal' | 'print'>): Promise<WorkerLease>;
  close(): Promise<void>;
}

const MEMORY_WATCH_MS = 200;
const MB = 1024 * 1024;

/** Starts a pool with its first worker, so that what is wrong with the code shows at once. */
export async function workerPool(options: PoolOptions): Promise<WorkerPool> {
  const { workers, idleMs, memoryMb } = options;
  if (!Number.isInteger(workers) || workers < 1) throw new RangeError(`workers must be at least 1, got ${workers}.`);
  const turns = places(workers);
  const numbers = Array.from({ length: workers }, (_, index) => index);
  /** The one that was used last is taken first, so that the others become idle. */
  const idle: { readonly worker: Worker; readonly index: number; readonly timer: NodeJS.Timeout }[] = [];
  const busy = new Set<Worker>();
  const living = new Map<number, Pick<Worker, 'pid' | 'kill'>>();
  const stopping = new Set<Promise<void>>();
  const closing = new AbortController();
  let watch: NodeJS.Timeout | undefined;

  function freeNumber(index: number): void {
    living.delete(index);
    numbers.push(index);
    numbers.sort((a, b) => a - b);
    if (living.size > 0) return;
    clearInterval(watch);
    watch = undefined;
  }

  async function start(index: number, { signal, print }: Pick<Limits, 'signal' | 'print'>): Promise<Worker> {
    return startWorker(options, index, { signal: AbortSignal.any([signal, closing.signal]), print }, (started) => {
      living.set(index, started);
      if (memoryMb !== undefined) watch ??= setInterval(() => void killLarge(memoryMb), MEMORY_WATCH_MS).unref();
    });
  }

  async function killLarge(limitMb: number): Promise<void> {
    const used = await residentBytes(new Set([...living.values()].map(({ pid }) => pid)));
    for (const { pid, kill } of living.values()) {
      const usedMb = Math.round((used.get(pid) ?? 0) / MB);
      if (usedMb <= limitMb) continue;
      kill(
        new Error(
          `The worker was ended because it used ${usedMb} MB of memory, and BATCHPOINT_WORKER_MEMORY_MB is ${limitMb}. ` +
            'Use a smaller miniBatchSize, or raise that setting.',
        ),
      );
    }
  }

  function stop(worker: Worker, index: number): void {
    const stopped = worker.stop().then(() => {
      freeNumber(index);
      stopping.delete(stopped);
    });
    stopping.add(stopped);
  }

  function putBack(worker: Worker, index: number): void {
    if (!worker.usable || closing.signal.aborted) {
      worker.kill(new Error('The worker is not usable any more.'));
      stop(worker, index);
      return;
    }
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex((entry) => entry.index === index),
        1,
      );
      stop(worker, index);
    }, idleMs);
    idle.push({ worker, index, timer: timer.unref() });
  }

  async function take(limits: Pick<Limits, 'signal' | 'print'>): Promise<{ worker: Worker; index: number }> {
    for (let entry = idle.pop(); entry !== undefined; entry = idle.pop()) {
      clearTimeout(entry.timer);
      if (entry.worker.usable) return entry;
      freeNumber(entry.index);
    }
    // The number of one that is just ending comes free in a moment.
    while (numbers.length === 0) await Promise.race(stopping);
    const index = numbers.shift() as number;
    try {
      return { worker: await start(index, limits), index };
    } catch (error) {
      freeNumber(index);
      throw error;
    }
  }

  const first = await take({ signal: closing.signal, print: options.print ?? (() => undefined) });
  putBack(first.worker, first.index);

  return {
    async lease(limits) {
      await turns.take(AbortSignal.any([limits.signal, closing.signal]));
      try {
        const { worker, index } = await take(limits);
        busy.add(worker);
        return {
          worker,
          release() {
            busy.delete(worker);
            putBack(worker, index);
            turns.free();
          },
        };
      } catch (error) {
        turns.free();
        throw error;
      }
    },
    async close() {
      const reason = new Error('The engine is closed.');
      closing.abort(reason);
      for (const { worker, index, timer } of idle.splice(0)) {
        clearTimeout(timer);
        stop(worker, index);
      }
      for (const worker of busy) worker.kill(reason);
      await Promise.all([...[...busy].map((worker) => worker.stop()), ...stopping]);
    },
  };
}

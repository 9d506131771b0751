import { OutOfMemory, type PrintedLine } from './engine.ts';
import { residentBytes } from './group-memory.ts';
import { places } from './places.ts';

/** A process that runs a user's code, for one caller at a time. */
export interface PooledWorker {
  /** Of its process group. */
  readonly pid: number;
  /** False: it takes no further request. */
  readonly usable: boolean;
  /** Ends it at once, with all that it started; a request that is under way throws the reason. */
  kill(reason: Error): void;
  /** Lets an idle worker end itself. */
  stop(): Promise<void>;
}

/** Who waits for a worker's start, and who hears what it prints when it fails. */
export interface Starting {
  readonly signal: AbortSignal;
  readonly print: (line: PrintedLine) => void;
}

export interface PoolLimits {
  /** Processes at most: mini-batches that run at once. */
  readonly workers: number;
  /** A worker that had nothing to do for this long ends; the next run starts one. */
  readonly idleMs: number;
  /** Of resident memory for each worker with its children. Watched on Linux. */
  readonly memoryMb?: number | undefined;
  /** Gets what the first worker prints when it cannot start, which is before the first run. */
  readonly print?: ((line: PrintedLine) => void) | undefined;
}

/** Starts a worker with its number, and says so as soon as its process is there. */
export type StartWorker<W extends PooledWorker> = (
  index: number,
  starting: Starting,
  onStarted: (worker: Pick<W, 'pid' | 'kill'>) => void,
) => Promise<W>;

export interface WorkerLease<W> {
  readonly worker: W;
  release(): void;
}

export interface WorkerPool<W> {
  /** A worker for one request, in the order of asking; started when there is none. Throws as its start does. */
  lease(starting: Starting): Promise<WorkerLease<W>>;
  close(): Promise<void>;
}

const MEMORY_WATCH_MS = 200;
const MB = 1024 * 1024;

/** Starts a pool with its first worker, so that what is wrong with the code shows at once. */
export async function workerPool<W extends PooledWorker>(
  startWorker: StartWorker<W>,
  { workers, idleMs, memoryMb, print: firstPrint }: PoolLimits,
): Promise<WorkerPool<W>> {
  if (!Number.isInteger(workers) || workers < 1) throw new RangeError(`workers must be at least 1, got ${workers}.`);
  const turns = places(workers);
  const numbers = Array.from({ length: workers }, (_, index) => index);
  /** The one that was used last is taken first, so that the others become idle. */
  const idle: { readonly worker: W; readonly index: number; readonly timer: NodeJS.Timeout }[] = [];
  const busy = new Set<W>();
  const living = new Map<number, Pick<W, 'pid' | 'kill'>>();
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

  async function start(index: number, { signal, print }: Starting): Promise<W> {
    return startWorker(index, { signal: AbortSignal.any([signal, closing.signal]), print }, (started) => {
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
        new OutOfMemory(
          `The worker was ended because it used ${usedMb} MB of memory, and BATCHPOINT_WORKER_MEMORY_MB is ${limitMb}. ` +
            'Use a smaller miniBatchSize, or raise that setting.',
        ),
      );
    }
  }

  function stop(worker: W, index: number): void {
    const stopped = worker.stop().then(() => {
      freeNumber(index);
      stopping.delete(stopped);
    });
    stopping.add(stopped);
  }

  function putBack(worker: W, index: number): void {
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

  async function take(starting: Starting): Promise<{ worker: W; index: number }> {
    for (let entry = idle.pop(); entry !== undefined; entry = idle.pop()) {
      clearTimeout(entry.timer);
      if (entry.worker.usable) return entry;
      freeNumber(entry.index);
    }
    // The number of one that is just ending comes free in a moment.
    while (numbers.length === 0) await Promise.race(stopping);
    const index = numbers.shift() as number;
    try {
      return { worker: await start(index, starting), index };
    } catch (error) {
      freeNumber(index);
      throw error;
    }
  }

  const first = await take({ signal: closing.signal, print: firstPrint ?? (() => undefined) });
  putBack(first.worker, first.index);

  return {
    async lease(starting) {
      await turns.take(AbortSignal.any([starting.signal, closing.signal]));
      try {
        const { worker, index } = await take(starting);
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

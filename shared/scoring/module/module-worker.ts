import { messageOf } from '../../domain/errors.ts';
import { ModelFault, TimedOut, type MiniBatch, type MiniBatchPart, type Run } from '../engine.ts';
import { OutOfTime, within } from '../within.ts';
import type { PooledWorker, Starting } from '../worker-pool.ts';
import { moduleProcess, type ModuleCode, type ModuleProcess } from './module-process.ts';

/** A process with a user's module in it. */
export interface ModuleWorker extends PooledWorker {
  /** One mini-batch at a time. A result that is not taken to its end ends the worker. */
  score(miniBatch: MiniBatch, run: Run): AsyncGenerator<MiniBatchPart, void>;
}

/** For a module to end by itself once its signal says so. */
const GRACE_MS = 1000;

/** Starts a process and loads the module in it. Throws ModelFault when it cannot be loaded; `print` gets then what it printed. */
export async function startModule(
  code: ModuleCode,
  index: number,
  { signal, print }: Starting,
  onStarted: (worker: Pick<ModuleWorker, 'pid' | 'kill'>) => void,
): Promise<ModuleWorker> {
  const process = await moduleProcess(code, index);
  onStarted({ pid: process.group.pid, kill: process.kill });
  try {
    await load(process, code, signal);
  } catch (error) {
    process.kill();
    process.lines.begin(print);
    process.lines.end();
    throw error;
  }
  process.hold(false);
  let usable = true;

  return {
    pid: process.group.pid,
    get usable() {
      return usable && process.living;
    },
    async *score(miniBatch, run) {
      process.lines.begin(run.print);
      process.hold(true);
      let over = false;
      try {
        process.send({ kind: 'run', ...miniBatch, options: run.options });
        for (let left = run.timeoutMs; ;) {
          const asked = performance.now();
          const message = await nextOf(process, run, left);
          // The time in which nobody asks for the next part does not count.
          left -= performance.now() - asked;
          if (message.kind === 'loaded') throw new Error('The worker loaded its module twice.');
          if (message.kind === 'rows') {
            const { bytes, rows, columns } = message;
            yield { type: 'rows', bytes, rows, columns };
            process.send({ kind: 'taken' });
            continue;
          }
          over = true;
          if (message.kind === 'failed') usable = message.worker === 'lives';
          await process.readAll();
          process.lines.end();
          if (message.kind === 'failed') throw new Error(message.message);
          yield { type: 'returned', results: message.results, items: message.items };
          return;
        }
      } finally {
        if (!over) {
          await endWithin(process, GRACE_MS);
          process.lines.end();
        }
        process.hold(false);
      }
    },
    kill: process.kill,
    async stop() {
      process.hold(true);
      process.kill();
      await process.gone;
    },
  };
}

async function load(
  process: ModuleProcess,
  { codeFolder, script, modelFolder, loggingLevel }: ModuleCode,
  signal: AbortSignal,
) {
  process.send({ kind: 'load', codeFolder, script, modelFolder, loggingLevel });
  try {
    const message = await within(() => process.next(), signal);
    await process.readAll();
    if (message.kind === 'failed') throw new ModelFault(message.message);
  } catch (error) {
    if (signal.aborted || error instanceof ModelFault) throw error;
    throw new ModelFault(`The module could not be loaded. ${messageOf(error)}`, { cause: error });
  }
}

async function nextOf(process: ModuleProcess, { signal, timeoutMs }: Run, left: number) {
  try {
    return await within(() => process.next(), signal, left);
  } catch (error) {
    if (error instanceof OutOfTime) throw new TimedOut(timeoutMs / 1000);
    throw error;
  }
}

/** Tells the module that its run is over, and ends its process when it has heard of it, at the latest after the time. */
async function endWithin(process: ModuleProcess, ms: number): Promise<void> {
  const settled = async () => {
    while (process.living) {
      const { kind } = await process.next();
      if (kind !== 'rows') return;
      process.send({ kind: 'taken' });
    }
  };
  process.send({ kind: 'abort' });
  try {
    await within(settled, new AbortController().signal, ms);
  } catch {
    // It is ended in any case, and why is known.
  }
  process.kill();
  await process.group.ended;
  await process.readAll();
}

import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../domain/errors.ts';
import { ModelFault, TimedOut, type PrintedLine } from '../engine.ts';
import { OutOfTime, within } from '../within.ts';
import type { PooledWorker } from '../worker-pool.ts';
import { LAST, RunAnswer, StartAnswer, type RowsAnswer } from './messages.ts';
import { workerProcess, type WorkerPlan, type WorkerProcess } from './worker-process.ts';

export interface Limits {
  readonly signal: AbortSignal;
  /** Milliseconds that the worker may take; the time in which nobody asks for the next part does not count. */
  readonly timeoutMs?: number;
  readonly print: (line: PrintedLine) => void;
}

export interface Worker extends PooledWorker {
  /** Where its code writes files (AZUREML_BI_OUTPUT_PATH). */
  readonly outputFolder: string;
  /**
   * Sends a request and yields the parts of its answer, the last of a type in LAST. Throws TimedOut, the signal's reason, or an
   * Error that says how the process has ended. An answer that is not taken to its end ends the worker.
   */
  request(content: object, limits: Limits): AsyncGenerator<RunAnswer | RowsAnswer, void>;
}

/** Time for `shutdown()` of a script. */
const STOP_MS = 5000;
/** Time for the stack of a run that took too long. */
const STACK_MS = 100;

/** Starts a worker and waits until its code is ready. Throws ModelFault when it cannot start; `print` gets then what it printed. */
export async function startWorker(
  plan: WorkerPlan,
  index: number,
  { signal, print }: Pick<Limits, 'signal' | 'print'>,
  onStarted: (worker: Pick<Worker, 'pid' | 'kill'>) => void,
): Promise<Worker> {
  const driver = await workerProcess(plan, index);
  onStarted({ pid: driver.group.pid, kill: driver.kill });
  try {
    driver.send({ ...plan.start, folder: driver.folder });
    await ready(driver, signal);
  } catch (error) {
    driver.kill();
    await driver.gone;
    driver.lines.begin(print);
    driver.lines.end();
    if (signal.aborted || error instanceof ModelFault) throw error;
    const said = driver.lines.last();
    throw new ModelFault(
      `The code could not be started. ${messageOf(error)}${said === undefined ? '' : ` It printed last: ${said}`}`,
      { cause: error },
    );
  }
  driver.hold(false);
  let usable = true;

  return {
    pid: driver.group.pid,
    get usable() {
      return usable && driver.living;
    },
    outputFolder: driver.outputFolder,
    async *request(content, limits) {
      driver.lines.begin(limits.print);
      driver.hold(true);
      let over = false;
      try {
        driver.send(content);
        for await (const answer of answers(driver, limits)) {
          over = LAST.has(answer.type);
          if (answer.type === 'failed') usable = answer.usable;
          if (over) await endRun(driver);
          yield answer;
        }
      } finally {
        if (!over) {
          driver.kill();
          driver.lines.end();
        }
        driver.hold(false);
      }
    },
    kill: driver.kill,
    async stop() {
      if (driver.living) driver.send({ type: 'stop' });
      const timer = setTimeout(() => driver.kill(), STOP_MS);
      await driver.gone;
      clearTimeout(timer);
    },
  };
}

async function ready(driver: WorkerProcess, signal: AbortSignal): Promise<void> {
  const frame = await within(() => driver.next(), signal);
  const answer = StartAnswer.parse(frame.kind === 'message' ? frame.content : undefined);
  await driver.readAll();
  if (answer.type === 'startFault') throw new ModelFault(answer.reason);
}

async function endRun(driver: WorkerProcess): Promise<void> {
  await driver.readAll();
  driver.lines.end();
}

/** The parts of one answer, up to the last. */
async function* answers(
  driver: WorkerProcess,
  { signal, timeoutMs = Infinity }: Limits,
): AsyncGenerator<RunAnswer | RowsAnswer, void> {
  let leftMs = timeoutMs;
  for (;;) {
    const asked = performance.now();
    let frame;
    try {
      frame = await within(() => driver.next(), signal, leftMs);
    } catch (error) {
      if (!(error instanceof OutOfTime)) throw error;
      // Python's faulthandler prints where each thread is.
      process.kill(driver.group.pid, 'SIGUSR1');
      await delay(STACK_MS);
      throw new TimedOut(timeoutMs / 1000);
    }
    leftMs -= performance.now() - asked;
    const answer: RunAnswer | RowsAnswer =
      frame.kind === 'rows' ? { type: 'rows', rows: frame.rows, bytes: frame.bytes } : RunAnswer.parse(frame.content);
    yield answer;
    if (LAST.has(answer.type)) return;
  }
}

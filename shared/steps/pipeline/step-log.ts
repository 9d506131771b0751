import { printToJob } from '../job-log.ts';
import type { JobDeps } from '../deps.ts';

/** How long printed lines wait for others before they are written: every write is a blob. */
const FLUSH_MS = 1000;

/** Lines that are written at once, however young. */
const MAX_WAITING = 1000;

/** The log of one run of a step, which clients read while the step runs. */
export interface StepLog {
  print(line: string): void;
  /** Writes what is left and ends it. */
  end(): Promise<void>;
}

/** Lines reach storage a second after they were printed, in order; a fault of storage costs the lines, not the step. */
export function stepLog(deps: Pick<JobDeps, 'log' | 'logs'>, run: string): StepLog {
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let written: Promise<void> = Promise.resolve();

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const lines = waiting;
    waiting = [];
    if (lines.length > 0) written = written.then(() => printToJob(deps, run, lines));
  };

  return {
    print(line) {
      waiting.push(line);
      if (waiting.length >= MAX_WAITING) flush();
      else timer ??= setTimeout(flush, FLUSH_MS);
    },
    async end() {
      flush();
      await written;
    },
  };
}

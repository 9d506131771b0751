import { OrchestrationFault, type Operation } from './operations.ts';
import type { RetryOptions } from './protocol.ts';
import type { TaskLedger } from './task-ledger.ts';

export interface RetriedTask {
  readonly attempt: (id: number) => Operation;
  readonly options: RetryOptions;
  /** The orchestrator's clock, ms since 1970. */
  readonly now: () => number;
  readonly done: () => void;
}

/** Schedules attempts and the timers between them, each with an id of its own (DTFx RetryInterceptor). */
export function scheduleWithRetry(ledger: TaskLedger, { attempt, options, now, done }: RetriedTask): void {
  if (options.retryTimeoutInMilliseconds !== undefined) {
    throw new OrchestrationFault(
      'retryTimeoutInMilliseconds is not supported: on the real host the orchestration hangs when it is exceeded.',
    );
  }
  let failures = 0;
  const run = (): void => {
    ledger.schedule(attempt, (ok) => {
      if (ok) {
        done();
        return;
      }
      failures += 1;
      const last = failures >= options.maxNumberOfAttempts;
      // The last failure still costs one timer, which fires at once: the SDK counts its id.
      const fireAt = new Date(now() + (last ? 0 : delayAfter(failures, options))).toISOString();
      ledger.schedule((id) => ({ kind: 'timer', id, fireAt }), last ? done : run);
    });
  };
  run();
}

/** The pause (ms) after so many failures. */
function delayAfter(failures: number, options: RetryOptions): number {
  const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** (failures - 1);
  return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? Number.MAX_SAFE_INTEGER);
}

import type { RegisteredFunction, RetryPolicy } from '../functions.ts';
import type { Invocation, Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { createBackoff } from './backoff.ts';

/**
 * Invokes a function until it succeeds or its retry policy is spent; then rejects with the last error. `sleep` resolves
 * to false when the host stops, which ends the retries.
 */
export async function invokeWithRetries(
  fn: RegisteredFunction,
  invocation: Invocation,
  invoke: Invoke,
  log: Log,
  sleep: (ms: number) => Promise<boolean>,
): Promise<void> {
  const { retry } = fn;
  const pause = retry === undefined ? undefined : pausesOf(retry);
  for (let retryCount = 0; ;) {
    try {
      await invoke(fn, invocation);
      return;
    } catch (error) {
      if (retry === undefined || pause === undefined) throw error;
      retryCount += 1;
      if (retry.maxRetryCount !== -1 && retryCount > retry.maxRetryCount) throw error;
      const ms = pause();
      log.error(`The function '${fn.name}' failed.`, error);
      log.info(
        `Waiting for ${ms / 1000} s before retrying '${fn.name}'. Next attempt: ${retryCount}. ` +
          `Max retry count: ${retry.maxRetryCount}.`,
      );
      if (!(await sleep(ms))) throw error;
      invocation = {
        ...invocation,
        retryContext: { retryCount, maxRetryCount: retry.maxRetryCount, exception: exceptionOf(error) },
      };
    }
  }
}

function pausesOf(policy: RetryPolicy): () => number {
  const ms = (duration: { seconds: number } | undefined): number => (duration?.seconds ?? 0) * 1000;
  if (policy.retryStrategy === 'fixedDelay') return () => ms(policy.delayInterval);
  const backoff = createBackoff(ms(policy.minimumInterval), ms(policy.maximumInterval));
  return backoff.next;
}

function exceptionOf(error: unknown): { source: string; stackTrace: string; message: string } {
  if (!(error instanceof Error)) return { source: '', stackTrace: '', message: String(error) };
  return { source: error.name, stackTrace: error.stack ?? '', message: error.message };
}

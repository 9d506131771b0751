import type { Log } from './log.ts';
import { formatTimeSpan } from './time-span.ts';

/** setTimeout cannot wait longer; a function that runs for 24 days is not timed out. */
const longestMs = 2 ** 31 - 1;

/**
 * Runs a function's invocation and rejects when it takes longer than `ms`. The real host restarts the worker then; in one
 * process the invocation can only be given up on: from then on `isOver` tells it so.
 */
export async function withTimeout<T>(
  functionName: string,
  ms: number,
  log: Log,
  run: (isOver: () => boolean) => Promise<T>,
): Promise<T> {
  if (ms > longestMs) return run(() => false);
  const late = Promise.withResolvers<never>();
  let over = false;
  const timer = setTimeout(() => {
    over = true;
    const text = `Timeout value of ${formatTimeSpan(ms)} was exceeded by function: Functions.${functionName}`;
    log.error(`${text}. The real host restarts its worker; here the function may go on unseen.`);
    late.reject(new Error(text));
  }, ms);
  try {
    return await Promise.race([run(() => over), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Time is over. */
export class OutOfTime extends Error {}

/** Node's longest timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Rejects with the signal's reason when it aborts, with OutOfTime after the time. */
export async function within<T>(work: () => Promise<T>, signal: AbortSignal, ms = Infinity): Promise<T> {
  signal.throwIfAborted();
  const stopped = Promise.withResolvers<never>();
  const aborted = () => stopped.reject(signal.reason);
  signal.addEventListener('abort', aborted, { once: true });
  const timer =
    ms === Infinity ? undefined : setTimeout(() => stopped.reject(new OutOfTime()), Math.min(ms, MAX_TIMER_MS));
  try {
    return await Promise.race([work(), stopped.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', aborted);
  }
}

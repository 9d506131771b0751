import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../log.ts';

/** Pause after a fault of the store, before what failed is tried again. */
export const retryAfterFaultMs = 1000;

/** Nobody else would ask again: runs `work` until it succeeds or the host stops (undefined). `fault` is the log line of a failed try. */
export async function untilDone<T>(
  work: () => Promise<T>,
  { log, fault, isStopped }: { readonly log: Log; readonly fault: string; readonly isStopped: () => boolean },
): Promise<T | undefined> {
  while (!isStopped()) {
    try {
      return await work();
    } catch (error) {
      log.error(fault, error);
      await wait(retryAfterFaultMs, undefined, { ref: false });
    }
  }
  return undefined;
}

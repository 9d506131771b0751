import { TimedOut } from '../scoring/engine.ts';
import { StorageFault } from '../storage/ports.ts';
import type { JobDeps } from './deps.ts';

/** What bounds a try. */
export type TryBounds = Pick<JobDeps, 'storageWaits' | 'longestTryMs'>;

/**
 * Aborts a try when its timeout is over. The time in which storage turned calls away is added, because that is no fault of the
 * mini-batch, as long as the try ends within `longestTryMs`; then it is storage's fault.
 */
export function tryTimer({ storageWaits, longestTryMs }: TryBounds, timeoutSeconds: number, stop: AbortController) {
  const began = Date.now();
  const timeoutMs = timeoutSeconds * 1000;
  const longestMs = Math.max(timeoutMs, longestTryMs);

  const look = (): void => {
    const leftMs = timeoutMs + storageWaits.since(began) - (Date.now() - began);
    const leftInAllMs = longestMs - (Date.now() - began);
    if (leftMs <= 0) stop.abort(new TimedOut(timeoutSeconds));
    else if (leftInAllMs <= 0) stop.abort(new StorageFault('a try of a mini-batch', 503, 'ServerBusy'));
    else timer = setTimeout(look, Math.min(leftMs, leftInAllMs));
  };
  let timer = setTimeout(look, timeoutMs);
  return { end: () => clearTimeout(timer) };
}

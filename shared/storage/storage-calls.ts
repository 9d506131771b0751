import { setTimeout as wait } from 'node:timers/promises';
import { busyGate, isBusy } from './busy-gate.ts';
import type { AdapterOptions } from './connection.ts';
import { StorageFault } from './ports.ts';
import { ask, type Request } from './storage-faults.ts';

/** Between the tries of a call that does no harm twice, after lost lines and internal errors. */
const RETRY_WAITS_MS = [50, 400, 1_200];

/** A few seconds: somebody waits for the answer of a request. */
const PATIENCE_MS = 3_000;
const ANSWER_WITHIN_MS = 120_000;

interface Bounds {
  readonly signal?: AbortSignal | undefined;
}

type Call = <T>(operation: string, bounds: Bounds, request: Request<T>) => Promise<T>;

/**
 * The ways to send a request, all with the SDK's retries switched off: those do not heed how long storage asks to be left alone, and
 * each call has its own, so that many calls hit busy storage harder than one. Each throws StorageFault or the signal's reason.
 */
export interface StorageCalls {
  /** For what does no harm twice: sent again after a lost answer and an internal error, and while storage is busy. */
  readonly harmless: Call;
  /**
   * For conditional writes: sent again only when storage said that it did not take it. After a lost answer nobody can tell our own
   * write from a rival's, so a lost answer stays a fault and a 409 or 412 always speaks of somebody else.
   */
  readonly conditional: Call;
  /** Sent once, whatever is answered; waits beforehand while storage is busy. */
  readonly once: Call;
}

export function storageCalls(options: AdapterOptions): StorageCalls {
  const { answerWithinMs = ANSWER_WITHIN_MS, patienceMs = PATIENCE_MS, busy } = options;
  const pass = busyGate({ patienceMs, begin: busy?.begin ?? (() => () => undefined) });

  const by =
    (isTurnedAway: (fault: StorageFault) => boolean): Call =>
    (operation, { signal }, request) =>
      pass({ signal, isTurnedAway, send: () => ask(operation, { signal, answerWithinMs }, request) });

  const patient = by((fault) => isBusy(fault) || fault.code === 'OperationTimedOut');
  return {
    async harmless(operation, bounds, request) {
      for (const pause of RETRY_WAITS_MS) {
        try {
          return await patient(operation, bounds, request);
        } catch (error) {
          if (!isTransient(error)) throw error;
          await wait(pause, undefined, bounds.signal && { signal: bounds.signal }).catch((aborted: unknown) => {
            throw bounds.signal?.aborted ? bounds.signal.reason : aborted;
          });
        }
      }
      return patient(operation, bounds, request);
    },
    conditional: by(isBusy),
    once: by(() => false),
  };
}

/** A lost line, an internal error, or an answer cut off in the middle; not silence, which took long enough, nor a redirect. */
const isTransient = (error: unknown): boolean =>
  error instanceof StorageFault &&
  !isBusy(error) &&
  error.code !== 'ETIMEDOUT' &&
  (error.status < 300 || error.status >= 500);

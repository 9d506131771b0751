import { StorageFault } from './ports.ts';

/** Waits after answers of "busy" in a row: doubled from the first to the longest, then drawn between half of it and all. */
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 30_000;

/** What storage may ask for with Retry-After. */
const LONGEST_ASKED_MS = 60_000;

/** As many calls at once are not limited any more. */
const WIDE = 64;

export interface GateOptions {
  /** How long a call waits in all for storage that turns it away, in milliseconds. */
  readonly patienceMs: number;
  /** A call begins to wait; what is answered ends it. */
  readonly begin: () => () => void;
}

export interface GateCall<T> {
  /** Sends the call once. */
  readonly send: () => Promise<T>;
  /** The fault says that storage did not take the call because it is busy, and the call may be sent again. */
  readonly isTurnedAway: (fault: StorageFault) => boolean;
  readonly signal: AbortSignal | undefined;
}

/** 429 and 503: storage is too busy, and has done nothing. */
export const isBusy = (error: unknown): boolean =>
  error instanceof StorageFault && (error.status === 429 || error.status === 503);

/**
 * The calls to one service of an account. While storage turns calls away, none is sent before the time that it asked for, or a
 * backoff with jitter, is over; then one alone, and with every call that it takes one more at once. Calls wait in their order, each as
 * long as the patience lasts: then the fault that turned it away, or the one before it, is thrown.
 */
export function busyGate({ patienceMs, begin }: GateOptions): <T>(call: GateCall<T>) => Promise<T> {
  let width = Infinity;
  let sent = 0;
  let closedUntil = 0;
  /** Refusals in a row, and how often the gate was closed: answers to calls from before a closing are no new ones. */
  let refusals = 0;
  let closings = 0;
  let last: StorageFault | undefined;
  const waiting = new Set<() => void>();

  const isOpen = (): boolean => sent < width && Date.now() >= closedUntil;
  const letIn = (): void => {
    for (const go of waiting) {
      if (!isOpen()) return;
      waiting.delete(go);
      sent++;
      go();
    }
  };

  function refused(fault: StorageFault, closing: number): void {
    last = fault;
    width = Math.max(1, Math.floor(Math.min(width, sent) / 2));
    if (closing === closings) {
      closings++;
      refusals++;
    }
    const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (refusals - 1)) * (0.5 + Math.random() / 2);
    const asked = Math.min(LONGEST_ASKED_MS, fault.retryAfterMs ?? 0) * (1 + Math.random() / 4);
    const wait = Math.max(backoff, asked);
    closedUntil = Math.max(closedUntil, Date.now() + wait);
    setTimeout(letIn, closedUntil - Date.now() + 1).unref();
  }

  function taken(): void {
    refusals = 0;
    if (width < Infinity) width = width >= WIDE ? Infinity : width + 1;
  }

  /** Waits for the call's turn, and takes it. Throws the signal's reason, or what storage said last when the patience is over. */
  async function turn(until: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const tooLong = setTimeout(resolve, Math.max(0, until - Date.now()));
    signal?.addEventListener('abort', () => resolve());
    waiting.add(resolve);
    letIn();
    if (!signal?.aborted) await promise;
    clearTimeout(tooLong);
    const stillWaits = waiting.delete(resolve);
    if (!stillWaits) return;
    signal?.throwIfAborted();
    throw last ?? new Error('the gate is closed, and nothing was turned away');
  }

  return async ({ send, isTurnedAway, signal }) => {
    let until: number | undefined;
    let end: (() => void) | undefined;
    const wait = (): number => {
      end ??= begin();
      return (until ??= Date.now() + patienceMs);
    };
    try {
      for (;;) {
        if (isOpen() && waiting.size === 0) sent++;
        else await turn(wait(), signal);
        const closing = closings;
        try {
          const answer = await send();
          taken();
          return answer;
        } catch (error) {
          if (!(error instanceof StorageFault)) throw error;
          if (!isBusy(error) && !isTurnedAway(error)) {
            if (error.status > 0) taken();
            throw error;
          }
          refused(error, closing);
          if (!isTurnedAway(error) || closedUntil >= wait()) throw error;
        } finally {
          sent--;
          letIn();
        }
      }
    } finally {
      end?.();
    }
  };
}

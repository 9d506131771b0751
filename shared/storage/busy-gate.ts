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
 * The calls to one service of an account. One that storage turns away waits as long as storage asks, or a backoff with jitter, and
 * the others go on, half as many at once. When the next is turned away, too, all wait; then one is sent alone, and with every one
 * that storage takes one more at once. Calls wait in their order, each as long as the patience lasts: then the fault that turned it
 * away, or the one before it, is thrown.
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
  let opening: NodeJS.Timeout | undefined;
  function letIn(): void {
    for (const go of waiting) {
      // The end of one of those lets the next one in.
      if (sent >= width) return;
      const closedMs = closedUntil - Date.now();
      if (closedMs > 0) {
        // A timer of a busy process may go off early, by the time that its turn of the event loop has taken so far.
        clearTimeout(opening);
        opening = setTimeout(letIn, Math.ceil(closedMs));
        return;
      }
      waiting.delete(go);
      sent++;
      go();
    }
  }

  /** Answers for how long the call is to wait. */
  function refused(fault: StorageFault, { closing, isSentAgain }: { closing: number; isSentAgain: boolean }): number {
    last = fault;
    width = Math.max(1, Math.floor(Math.min(width, sent) / 2));
    if (closing === closings) {
      closings++;
      refusals++;
    }
    const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (refusals - 1)) * (0.5 + Math.random() / 2);
    const asked = Math.min(LONGEST_ASKED_MS, fault.retryAfterMs ?? 0) * (1 + Math.random() / 4);
    const wait = Math.max(backoff, asked);
    // Nobody else would keep the time that storage asked for.
    if (refusals > 1 || !isSentAgain) closedUntil = Math.max(closedUntil, Date.now() + wait);
    return wait;
  }

  function taken(): void {
    refusals = 0;
    if (width < Infinity) width = width >= WIDE ? Infinity : width + 1;
  }

  /** Waits for the call's turn, and takes it. Throws the signal's reason, or what storage said last when the patience is over. */
  async function turn(until: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.add(resolve);
    letIn();
    await wakeAfter(Math.max(0, until - Date.now()), signal, promise);
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
        let pauseMs: number;
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
          const isSentAgain = isTurnedAway(error);
          pauseMs = refused(error, { closing, isSentAgain });
          if (!isSentAgain || Date.now() + pauseMs >= wait()) throw error;
        } finally {
          sent--;
          letIn();
        }
        await wakeAfter(pauseMs, signal);
        signal?.throwIfAborted();
      }
    } finally {
      end?.();
    }
  };
}

/** Waits so many milliseconds; shorter when the signal aborts, or `turn` comes. */
async function wakeAfter(ms: number, signal: AbortSignal | undefined, turn?: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  const timer = setTimeout(wake, ms);
  signal?.addEventListener('abort', wake);
  if (signal?.aborted) wake();
  await Promise.race(turn ? [promise, turn] : [promise]);
  clearTimeout(timer);
  signal?.removeEventListener('abort', wake);
}

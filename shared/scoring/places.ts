export interface Places {
  /** One of the places, in the order of asking. Rejects with the signal's reason when it aborts first. */
  take(signal: AbortSignal): Promise<void>;
  /** One of the places that nobody waits for, if there is one. */
  takeFree(): boolean;
  free(): void;
  /** How many ask and have none. */
  readonly waiting: number;
}

/** At most `count` at once; who asks first is served first. */
export function places(count: number): Places {
  const waiting: (() => void)[] = [];
  let left = count;
  return {
    async take(signal) {
      signal.throwIfAborted();
      if (left > 0) {
        left--;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const abort = () => {
          waiting.splice(waiting.indexOf(granted), 1);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's reason, unchanged
          reject(signal.reason);
        };
        const granted = () => {
          signal.removeEventListener('abort', abort);
          resolve();
        };
        signal.addEventListener('abort', abort, { once: true });
        waiting.push(granted);
      });
    },
    takeFree() {
      if (left === 0) return false;
      left--;
      return true;
    },
    get waiting() {
      return waiting.length;
    },
    free() {
      const next = waiting.shift();
      if (next === undefined) left++;
      else next();
    },
  };
}

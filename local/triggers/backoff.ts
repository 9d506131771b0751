/** Pauses that grow: the SDK's RandomizedExponentialBackoffStrategy, for polling and for retries. */
export interface Backoff {
  /** The next pause, in milliseconds. */
  next(): number;
  reset(): void;
}

const jitter = 0.2;

/** The first pause is `minMs`; each further one adds about twice what the one before added, up to `maxMs`. */
export function createBackoff(minMs: number, maxMs: number): Backoff {
  let exponent = 0;
  return {
    next() {
      const spread = 1 - jitter + 2 * jitter * Math.random();
      const growth = exponent === 0 ? 0 : spread * 2 ** (exponent - 1) * minMs;
      if (minMs + growth >= maxMs) return maxMs;
      exponent += 1;
      return minMs + growth;
    },
    reset() {
      exponent = 0;
    },
  };
}

import { keepNewest } from '../domain/keep-newest.ts';

/** Callers that are remembered; whoever has not asked for longest is forgotten first. */
const MAX_CALLERS = 10_000;

/** Clients send bursts: a list of jobs and a look at each of them. */
const BURST_SECONDS = 5;

export interface TokenBuckets {
  /** Counts one request of a caller. Answers 0, or the seconds (at least 1) after which another may come. */
  take(caller: string): number;
}

/**
 * Token buckets in this process's memory: each fills at `perSecond` and holds five seconds' worth, one at least. Several instances
 * of the app let through so many times as much.
 */
export function tokenBuckets(perSecond: number, now: () => number): TokenBuckets {
  const size = Math.max(1, perSecond * BURST_SECONDS);
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take(caller) {
      const at = now();
      const bucket = buckets.get(caller) ?? { left: size, at };
      bucket.left = Math.min(size, bucket.left + (Math.max(0, at - bucket.at) / 1000) * perSecond);
      bucket.at = at;
      keepNewest(buckets, caller, bucket, MAX_CALLERS);
      if (bucket.left < 1) return Math.max(1, Math.ceil((1 - bucket.left) / perSecond));
      bucket.left -= 1;
      return 0;
    },
  };
}

import { authenticate } from '../auth/bearer.ts';
import type { Plane, Principal } from '../auth/principal.ts';
import { ApiError, tooManyRequests } from '../domain/errors.ts';
import type { ApiDeps } from './deps.ts';
import { tokenBuckets } from './token-buckets.ts';

export interface RequestLimits {
  /** Who sends a request, counted. Throws ApiError 401, 429. */
  admit(headers: Headers, planes: readonly Plane[]): Promise<Principal>;
}

/**
 * Requests a second of each caller, by the subject of its token; refused tokens count for the address that they come from, so that
 * nobody can use up what belongs to another by naming him.
 */
export function requestLimits({ verifyToken, limits, clock }: ApiDeps): RequestLimits {
  const callers = tokenBuckets(limits.requestsPerSecond, clock.now);
  const strangers = tokenBuckets(limits.badTokensPerSecond, clock.now);

  const identified = async (headers: Headers, planes: readonly Plane[]): Promise<Principal> => {
    try {
      return await authenticate(headers.get('authorization') ?? undefined, planes, verifyToken);
    } catch (error) {
      const wait = error instanceof ApiError && error.status === 401 ? strangers.take(addressOf(headers)) : 0;
      if (wait > 0) throw tooManyRequests('Too many requests without a good token came from this address.', wait);
      throw error;
    }
  };

  return {
    async admit(headers, planes) {
      const principal = await identified(headers, planes);
      const wait = callers.take(principal.subject);
      if (wait > 0)
        throw tooManyRequests(`The caller sends more than ${limits.requestsPerSecond} requests a second.`, wait);
      return principal;
    },
  };
}

/** What the last proxy saw, which is Azure's own front end there: whatever a client writes stands before it. */
const addressOf = (headers: Headers): string =>
  headers.get('x-forwarded-for')?.split(',').at(-1)?.trim().replace(/:\d+$/, '').slice(0, 64) ?? '';

import { createRemoteJWKSet, customFetch, errors, type FetchImplementation } from 'jose';
import { ApiError } from '../domain/errors.ts';
import type { TokenKeys } from './token-signature.ts';

/** Entra ID publishes a key long before it signs with it, and takes it back when it has leaked. */
const KEPT_FOR_MS = 12 * 60 * 60 * 1000;

/** Anybody can name a key that does not exist: one question in this time (S5.5). */
const UNKNOWN_KEY_EVERY_MS = 5 * 60 * 1000;

const ANSWER_WITHIN_MS = 5000;

/** After a failed fetch nobody asks again for so long. */
const FAILED_FOR_MS = 5000;

/**
 * The public keys at a URL (JWKS), fetched when the first token comes, kept, and fetched again for a token whose key is unknown.
 * Redirects are not followed (S4.4). Throws ApiError 503 while the keys cannot be had, and tells `onFault` why.
 */
export function remoteKeys(url: URL, onFault: (error: unknown) => void): TokenKeys {
  const keys = createRemoteJWKSet(url, {
    cacheMaxAge: KEPT_FOR_MS,
    cooldownDuration: UNKNOWN_KEY_EVERY_MS,
    timeoutDuration: ANSWER_WITHIN_MS,
    [customFetch]: fetchUnlessFailed(onFault),
  });
  return async (header) => {
    try {
      return await keys(header);
    } catch (error) {
      if (isTokensFault(error)) throw error;
      throw new ApiError(503, 'ServiceUnavailable', 'The keys of the token issuer cannot be fetched now. Try again.');
    }
  };
}

const isTokensFault = (error: unknown): boolean =>
  [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported].some(
    (kind) => error instanceof kind,
  );

/** One fault of the server is asked for once, not by every request that comes meanwhile. */
function fetchUnlessFailed(onFault: (error: unknown) => void): FetchImplementation {
  let failedAt = Number.NEGATIVE_INFINITY;
  return async (url, options) => {
    if (Date.now() < failedAt + FAILED_FOR_MS) throw new Error('The last fetch failed a moment ago.');
    try {
      const response = await fetch(url, { ...options, redirect: 'error' });
      if (response.ok) return response;
      throw new Error(`${url} answered ${response.status}.`);
    } catch (error) {
      failedAt = Date.now();
      onFault(error);
      throw error;
    }
  };
}

import { challenge } from '../auth/bearer.ts';
import { ApiError } from '../domain/errors.ts';
import { StorageFault } from '../storage/ports.ts';

/** What an error answer says about the request that it answers. */
export interface RequestFacts {
  readonly requestId: string;
  readonly location: string;
  /** ISO 8601. */
  readonly time: string;
  /** Where a client without a good token can sign in. */
  readonly authorizationUri?: string;
}

const BUSY_RETRY_SECONDS = 5;

/** Storage that is down, busy or too slow: trying again later helps. */
const isBusy = (error: unknown): boolean =>
  error instanceof StorageFault && (error.status === 429 || error.status === 408 || error.status >= 500);

/** True for a fault of ours, which belongs into the log. */
export const isInternal = (error: unknown): boolean => !(error instanceof ApiError);

/** Azure ML's error envelope (contract 3.4). Faults of ours tell nothing but the request id. */
export function errorResponse(error: unknown, facts: RequestFacts): Response {
  const answer =
    error instanceof ApiError
      ? error
      : isBusy(error)
        ? new ApiError(503, 'ServiceUnavailable', 'Storage does not answer in time. Try again.')
        : new ApiError(500, 'InternalServerError', `The request failed inside the app (request ${facts.requestId}).`);
  const retryAfter = answer.retryAfter ?? (answer.status === 503 ? BUSY_RETRY_SECONDS : undefined);
  const info = (type: string, value: unknown) => ({ type, info: { value } });
  const body = {
    error: {
      code: answer.code,
      message: answer.message,
      ...(answer.target === undefined ? {} : { target: answer.target }),
      details: answer.details,
      additionalInfo: [
        info('ComponentName', 'batchpoint'),
        info('Correlation', { operation: facts.requestId, request: facts.requestId }),
        info('Environment', facts.location),
        info('Location', facts.location),
        info('Time', facts.time),
      ],
    },
  };
  return Response.json(body, {
    status: answer.status,
    headers: {
      'x-ms-response-type': 'error',
      ...(answer.status === 401 ? { 'WWW-Authenticate': challenge(answer, facts.authorizationUri) } : {}),
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    },
  });
}

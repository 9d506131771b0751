import { STATUS_CODES } from 'node:http';
import { RestError } from '@azure/storage-blob';
import { z } from 'zod';
import { StorageFault } from './ports.ts';

const tableErrorSchema = z.object({ odataError: z.object({ code: z.string().min(1) }) });

/** Sends it; `close` ends what is left of it after its answer. */
export type Request<T> = (signal: AbortSignal, close: () => void) => Promise<T>;

/** Why a request is ended that nobody wants any more: a reason made once, since one for each request costs its stack. */
const UNWANTED = new Error('The request is not wanted any more.');

/**
 * Asks storage once and turns whatever goes wrong into a `StorageFault`, or into the reason of `signal` when that ended it.
 * The request gets a signal that also ends when no answer came within `answerWithinMs` (code `ETIMEDOUT`).
 * The SDK's error is not kept as cause: it holds the request with its address, SAS and Authorization header.
 */
export async function ask<T>(
  operation: string,
  limits: { readonly signal?: AbortSignal | undefined; readonly answerWithinMs: number },
  request: Request<T>,
): Promise<T> {
  const { signal, answerWithinMs } = limits;
  signal?.throwIfAborted();
  const over = new AbortController();
  const close = () => over.abort(UNWANTED);
  const timer = setTimeout(close, answerWithinMs);
  try {
    return await request(signal ? AbortSignal.any([signal, over.signal]) : over.signal, close);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (over.signal.aborted) throw new StorageFault(operation, 0, 'ETIMEDOUT');
    throw error instanceof RestError ? faultOf(operation, error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined for a 404; every other fault stays one. */
export async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StorageFault && error.status === 404) return undefined;
    throw error;
  }
}

function faultOf(operation: string, error: RestError): StorageFault {
  const status = error.statusCode ?? 0;
  const headers = error.response?.headers;
  const retryAfterMs = waitAskedFor(headers?.get('retry-after'));
  return new StorageFault(operation, status, codeOf(error, status), headers?.get('x-ms-request-id'), { retryAfterMs });
}

/** Retry-After is seconds, or a date. */
function waitAskedFor(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : undefined;
}

/** Tables name the code in the body, blobs in body and header, HEAD only in the header, Azurite's tables at times nowhere. */
function codeOf(error: RestError, status: number): string {
  const inTable = tableErrorSchema.safeParse(error.details);
  if (inTable.success) return inTable.data.odataError.code;
  const named = error.response?.headers.get('x-ms-error-code') ?? error.code;
  return named || (STATUS_CODES[status]?.replaceAll(' ', '') ?? 'Unknown');
}

import { randomBytes } from 'node:crypto';

let reserved: string | undefined;

/** A span id for later. */
export const newSpanId = (): string => randomBytes(8).toString('hex');

/** Starts a span under an id that was reserved for it: `start` must start one span, and at once. */
export function underReservedId<T>(id: string, start: () => T): T {
  reserved = id;
  try {
    return start();
  } finally {
    reserved = undefined;
  }
}

/** Where the SDK gets its ids: a job's span is known to others long before it is written. */
export const spanIds = {
  generateTraceId: (): string => randomBytes(16).toString('hex'),
  generateSpanId: (): string => reserved ?? newSpanId(),
};

import type { Reply } from '../http/reply.ts';

export function problem(status: number, message: string): Reply {
  return { status, json: { Message: message } };
}

export function unsupported(what: string): Reply {
  return problem(501, `The embedded host does not support ${what}.`);
}

/** Flags of a query string: any case, everything but "true" and "false" is neither. */
export function isTrue(value: string | null): boolean {
  return value?.toLowerCase() === 'true';
}

export function isFalse(value: string | null): boolean {
  return value?.toLowerCase() === 'false';
}

export function isJsonOrEmpty(text: string): boolean {
  if (text === '') return true;
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

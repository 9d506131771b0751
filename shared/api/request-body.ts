import type { z } from 'zod';
import { checked } from '../domain/checked.ts';
import { ApiError, badRequest } from '../domain/errors.ts';
import type { ApiContext } from './context.ts';

const tooLarge = (most: number): ApiError =>
  new ApiError(413, 'RequestEntityTooLarge', `A request body may have at most ${most} bytes.`);

/** Throws ApiError 413 for a body that says it is too large, also where nobody reads it. */
export function checkLength(c: ApiContext): void {
  const { maxBodyBytes } = c.var;
  if (Number(c.req.header('content-length') ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes);
}

/**
 * Reads a JSON object through its schema. A body without Content-Length is refused, because the Functions host can drop
 * chunked bodies and an empty one must not pass for "all defaults". Throws ApiError 400, 411, 413.
 */
export async function readBody<Schema extends z.ZodType>(c: ApiContext, schema: Schema): Promise<z.infer<Schema>> {
  const length = c.req.header('content-length');
  if (length === undefined || !/^\d{1,15}$/.test(length))
    throw new ApiError(411, 'LengthRequired', 'The request needs a body and its Content-Length.');
  const text = await readText(c.req.raw, c.var.maxBodyBytes);
  if (text.trim() === '') throw badRequest('The request body is empty; a JSON object is required.');
  return checked(schema, parseJson(text));
}

async function readText(request: Request, most: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: ReadableStream<Uint8Array> | null = request.body;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    if (error instanceof TypeError) throw badRequest('The request body is not UTF-8 text.');
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (isDeeperThan(value, MAX_DEPTH)) throw badRequest(`The request body is nested deeper than ${MAX_DEPTH} levels.`);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser's own message quotes the body, which may hold a secret.
    throw badRequest('The request body is not valid JSON.');
  }
  throw badRequest('The request body must be a JSON object.');
}

/** Deeper than any resource; what recurses over a body must not run out of stack. */
const MAX_DEPTH = 64;

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((part) => isDeeperThan(part, depth - 1));
}

import type { z } from 'zod';
import { checked } from './checked.ts';
import { badRequest } from './errors.ts';

/** Reads a queue's message, which the host has parsed when it was JSON, through a schema. Throws ApiError 400. */
export function readMessage<Schema extends z.ZodType>(schema: Schema, message: unknown): z.infer<Schema> {
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    throw badRequest('The message is not a JSON object.');
  return checked(schema, message);
}

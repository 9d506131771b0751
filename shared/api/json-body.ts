import type { Handler, MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import type { ApiEnv } from './context.ts';
import { readBody } from './request-body.ts';

/** What a route reads: by one of these schemas, which the OpenAPI document shows. */
export interface RouteBody {
  readonly schemas: readonly z.ZodType[];
  readonly isRequired: boolean;
}

/** By the middleware that reads it: the document finds it in the router, so that no route can read what is not told. */
const bodies = new WeakMap<Handler, RouteBody>();

interface BodyOptions {
  /** An absent body reads like an empty object. */
  readonly isOptional?: boolean;
  /** What the body may be where that is known only later, by what it is for. */
  readonly later?: readonly z.ZodType[];
}

/** Reads a route's JSON body through its schema, for the handler as `c.req.valid('json')`. Throws ApiError 400, 411, 413. */
export function jsonBody<Schema extends z.ZodType<object>, Path extends string>(
  schema: Schema,
  { isOptional = false, later }: BodyOptions = {},
): MiddlewareHandler<ApiEnv, Path, { in: { json: z.input<Schema> }; out: { json: z.output<Schema> } }> {
  const read: MiddlewareHandler<
    ApiEnv,
    Path,
    { in: { json: z.input<Schema> }; out: { json: z.output<Schema> } }
  > = async (c, next) => {
    const isAbsent = Number(c.req.header('content-length') ?? 0) === 0;
    c.req.addValidatedData('json', isOptional && isAbsent ? schema.parse({}) : await readBody(c, schema));
    await next();
  };
  bodies.set(read, { schemas: later ?? [schema], isRequired: !isOptional });
  return read;
}

/** What the handlers of a route read; undefined for one that takes no body. */
export const bodyOf = (handler: Handler): RouteBody | undefined => bodies.get(handler);

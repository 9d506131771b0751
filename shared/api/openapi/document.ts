import type { Hono } from 'hono';
import { z } from 'zod';
import type { ApiEnv } from '../context.ts';
import { bodyOf, type RouteBody } from '../json-body.ts';
import { CHILD_LOG, PARENT_LOG } from '../../domain/log-files.ts';
import { ROUTE_ACTIONS, routeTable } from '../route-table.ts';
import { answersOf, ErrorEnvelope, type RouteAnswer } from './answers.ts';
import { parametersOf, type RouteParameter } from './parameters.ts';

type Json = Readonly<Record<string, unknown>>;

/** An OpenAPI 3.1 document as far as this app fills it; operations by path and method. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Json;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: Json;
  readonly security: readonly Json[];
}

const REFUSED = {
  description: 'Refused.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};

const ABOUT = {
  openapi: '3.1.0',
  info: {
    title: 'Batchpoint',
    version: '1',
    description: 'Azure ML batch endpoints. Fixed parts of paths, and names of fields, match in any case.',
  },
  components: {
    schemas: { Error: jsonSchema(ErrorEnvelope, 'output') },
    responses: { Error: REFUSED },
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
  },
  security: [{ bearer: [] }],
} as const;

/** OpenAPI has no wildcards: what the routes with one find, written out. */
const BEHIND_WILDCARD: Readonly<Record<string, readonly string[]>> = {
  'GET /endpoints/:endpoint/jobs/*': [':job'],
  'POST /endpoints/:endpoint/jobs/*': [':job/cancel', ':job/salvage'],
  'GET /logs/:job/*': [PARENT_LOG, CHILD_LOG],
};

/** A route's paths in OpenAPI's own form. Throws for a wildcard that nobody has written out. */
export function documentPaths(route: string): string[] {
  const path = route.slice(route.indexOf(' ') + 1);
  const written = BEHIND_WILDCARD[route]?.map((end) => path.replace('*', end)) ?? [path];
  return written.map((one) => {
    if (one.includes('*')) throw new Error(`Nobody has written out what is behind the wildcard of ${route}.`);
    return one.replace(/:(\w+)/g, '{$1}');
  });
}

/**
 * The document of an app, read from its router: every route with what it reads and answers, and the action that the caller's role
 * must allow. It tells nothing that is not in this app's sources.
 */
export function openApiDocument(app: Hono<ApiEnv>): OpenApiDocument {
  const bodies = new Map<string, RouteBody>();
  for (const { method, path, handler } of app.routes) {
    const body = bodyOf(handler);
    if (body) bodies.set(`${method} ${path}`, body);
  }
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routeTable(app))
    for (const path of documentPaths(route)) {
      const method = route.slice(0, route.indexOf(' ')).toLowerCase();
      (paths[path] ??= {})[method] = operation(route, path, bodies.get(route));
    }
  return { ...ABOUT, paths };
}

function operation(route: string, path: string, body: RouteBody | undefined): Json {
  const action = ROUTE_ACTIONS[route];
  const answers = Object.entries(answersOf(route)).map(([status, one]) => [status, answer(one)]);
  const error = { $ref: '#/components/responses/Error' };
  return {
    operationId: operationId(route, path),
    ...(action === 'open' ? { security: [] } : { 'x-batchpoint-action': action }),
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        ...{ in: 'path', name, required: true, schema: { type: 'string', minLength: 1 } },
      })),
      ...parametersOf(route).map(parameter),
    ],
    ...(body && { requestBody: requestBody(body) }),
    responses: { ...Object.fromEntries(answers), '4XX': error, 503: error },
  };
}

/** `put-batchendpoints-endpoint`: the route without what all that lie below a workspace have in common. */
const operationId = (route: string, path: string): string =>
  `${route.split(' ')[0]} ${path}`
    .replace(/\/subscriptions\/.*\/(?:workspaces|locations)/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '');

const parameter = ({ schema, ...rest }: RouteParameter): Json => ({
  ...rest,
  required: false,
  schema: jsonSchema(schema),
});

function requestBody({ schemas, isRequired }: RouteBody): Json {
  const [first, ...more] = schemas.map((one) => jsonSchema(one));
  const schema = more.length === 0 ? first : { anyOf: [first, ...more] };
  return { required: isRequired, content: { 'application/json': { schema } } };
}

function answer({ description, content }: RouteAnswer): Json {
  if (content === undefined) return { description };
  return typeof content === 'string'
    ? { description, content: { [content]: { schema: { type: 'string' } } } }
    : { description, content: { 'application/json': { schema: jsonSchema(content, 'output') } } };
}

/** What zod cannot write as JSON Schema (a check in code) is left out: the schema lets more through than the app. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output' = 'input'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

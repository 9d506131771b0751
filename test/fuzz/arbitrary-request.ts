import fc from 'fast-check';
import { z } from 'zod';
import { BASE } from '../unit/api/api-world.ts';
import { validBodies } from './valid-bodies.ts';
import { anyJson, jsonOf, mutated, type Json } from './arbitrary-json.ts';

/** A request as it is sent; printed as it is when it finds something. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  /** Who sends it: a role, or how there is none. */
  readonly caller: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes as base64 where they are no text. */
  readonly body?: string | { readonly base64: string };
}

const Operations = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        parameters: z.array(z.looseObject({ in: z.string(), name: z.string() })),
        requestBody: z
          .looseObject({ content: z.object({ 'application/json': z.looseObject({ schema: z.unknown() }) }) })
          .optional(),
      }),
    ),
  ),
});

/** Names of what a fuzzed app holds; every other parameter has only strange values. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  subscription: ['sub-1', 'SUB-1'],
  group: ['rg-1'],
  workspace: ['ws-1', 'WS-1'],
  location: ['westeurope'],
  endpoint: ['heart-ep', 'flow-ep', 'new-ep', 'HEART-EP'],
  deployment: ['blue', 'green', 'BLUE'],
  name: ['heart', 'flow', 'step', 'files', 'cluster', 'workspaceblobstore', 'fresh', 'HEART'],
  version: ['1', '2', 'x'],
  job: ['run-1', 'run-2', 'fresh-job', 'RUN-1'],
  run: ['run-1', 'run-2', 'none'],
  operation: ['batchGetResolvedUris', 'other'],
  node: ['0'],
  experiment: ['any'],
};

const STRANGE_SEGMENTS = [
  ...['..%2f..%2fx', '%2e%2e', '%00', 'a%00b', '%ff', '%c0%ae', '%', '%25', '__proto__', 'constructor', 'a%2Fb', '%5c'],
  ...['a:b', 'a@b', 'a;b', '~', '*', '$', '"', '<x>', '%E2%80%AE', '%F0%9F%92%A9', 'x'.repeat(300), 'x'.repeat(2000)],
];

const segment = (name: string): fc.Arbitrary<string> => {
  const strange = fc.oneof(
    fc.constantFrom(...STRANGE_SEGMENTS),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).map(encodeURIComponent),
  );
  const known = KNOWN[name];
  if (!known) return strange;
  // Requests that miss the workspace never come far.
  const isHome = ['subscription', 'group', 'workspace', 'location'].includes(name);
  return fc.oneof({ weight: isHome ? 60 : 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: strange });
};

const pathOf = (template: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...template.split('/').map((part) => (part.startsWith('{') ? segment(part.slice(1, -1)) : fc.constant(part))),
    )
    .map((parts) => parts.join('/'));

const STRANGE_VALUES = [
  ...[
    '',
    '0',
    '-1',
    '1',
    '1e9',
    '99999999999999999999',
    'ActiveOnly',
    'ALL',
    'newest',
    'createdtime desc',
    'a=1,b',
    '=',
  ],
  ...[
    '*',
    '"0"',
    'W/"x"',
    'bytes=0-1',
    'bytes=-',
    'bytes=9999999999999999-',
    '\u0000',
    'a\u0000b',
    '%',
    'é',
    '[]',
    '{"a":1}',
  ],
  ...['2022-05-01', 'blue', 'heart', 'Pipeline', 'true', 'x'.repeat(2000), '__proto__', 'AAAAAAAAAAAAAAAAAAAAAAAA'],
];

const query = (names: readonly string[]): fc.Arbitrary<string> =>
  fc
    .array(
      fc.tuple(
        fc.constantFrom(
          ...names,
          ...names.map((name) => name.toUpperCase()),
          '__proto__',
          '$top',
          '$skip',
          'count',
          'x',
        ),
        fc.oneof(fc.constantFrom(...STRANGE_VALUES), fc.string({ unit: 'binary', maxLength: 8 })),
      ),
      { maxLength: 3 },
    )
    .map((pairs) => (pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`));

/** Header values are bytes: what a server hands on has no control characters. */
const HEADER_VALUES = STRANGE_VALUES.filter((value) => /^[\x20-\x7e\xa0-\xff]*$/.test(value));

const headers = (names: readonly string[]): fc.Arbitrary<Record<string, string>> =>
  fc.dictionary(
    fc.constantFrom(...names, 'x-forwarded-host', 'x-ms-client-request-id', 'accept', 'content-type', 'content-length'),
    fc.constantFrom(...HEADER_VALUES),
    { maxKeys: 2, noNullPrototype: true },
  );

export const CALLERS = ['owner', 'operator', 'invoker', 'reader', 'no role', 'no token', 'a wrong token'] as const;

const caller = fc.oneof(
  { weight: 8, arbitrary: fc.constant('owner') },
  { weight: 4, arbitrary: fc.constantFrom(...CALLERS) },
);

/** No JSON, or not all of it. */
const RAW: readonly NonNullable<FuzzRequest['body']>[] = [
  ...['', ' ', '{', '{"properties":', '[]', 'null', '"x"', '{}{}', '{"properties":{},"properties":null}', '\ufeff{}'],
  ...[
    '{"properties":1e999}',
    '{"properties":NaN}',
    `${'['.repeat(5000)}`,
    `{"a":${'{"a":'.repeat(5000)}1${'}'.repeat(5001)}`,
  ],
  ...[{ base64: Buffer.from([0x7b, 0xff, 0x7d]).toString('base64') }, { base64: 'AAAA' }],
];

const body = (schema: unknown, valid: readonly Json[]): fc.Arbitrary<FuzzRequest['body']> => {
  const json = (values: fc.Arbitrary<Json>) => values.map((value) => JSON.stringify(value));
  const right = valid.length === 0 ? jsonOf(schema) : fc.constantFrom(...valid);
  return fc.oneof(
    { weight: 5, arbitrary: json(mutated(right)) },
    { weight: 3, arbitrary: json(right) },
    { weight: 3, arbitrary: json(mutated(jsonOf(schema))) },
    { weight: 1, arbitrary: json(anyJson) },
    { weight: 1, arbitrary: fc.constantFrom(...RAW) },
  );
};

const METHODS = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** Requests to every operation of an OpenAPI document. */
export function requestOf(document: unknown): fc.Arbitrary<FuzzRequest> {
  const operations = Object.entries(Operations.parse(document).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody }]) => {
      const named = (where: string) => parameters.filter((one) => one.in === where).map(({ name }) => name);
      const schema = requestBody?.content['application/json'].schema;
      const usual = method.toUpperCase();
      const arbitrary = fc
        .record({
          method: fc.oneof({ weight: 30, arbitrary: fc.constant(usual) }, fc.constantFrom(...METHODS)),
          path: fc.tuple(pathOf(path), query(named('query'))).map((parts) => parts.join('')),
          caller,
          headers: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, headers(named('header'))),
          body:
            schema === undefined
              ? fc.constantFrom(undefined, undefined, '{}', '{"x":1}')
              : body(schema, validBodies(`${usual} ${path}`)),
        })
        .map(({ body: sent, ...rest }): FuzzRequest => ({ ...rest, ...(sent !== undefined && { body: sent }) }));
      // More is read of a body than of anything else.
      return { weight: schema === undefined ? 1 : 4, arbitrary };
    }),
  );
  return fc.oneof(...operations);
}

/** As the Functions host hands a request over: its body has a Content-Length, unless the headers say another. */
export function requestFrom(
  { method, path, headers: given, body: sent }: FuzzRequest,
  authorization?: string,
): Request {
  const bytes =
    sent === undefined ? undefined : typeof sent === 'string' ? Buffer.from(sent) : Buffer.from(sent.base64, 'base64');
  const hasBody = bytes !== undefined && method !== 'GET' && method !== 'HEAD';
  return new Request(`${BASE}${path}`, {
    method,
    headers: {
      ...(hasBody && { 'content-type': 'application/json', 'content-length': String(bytes.byteLength) }),
      ...given,
      ...(authorization !== undefined && { authorization }),
    },
    ...(hasBody && { body: bytes }),
  });
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RpcHttpCookie, RpcHttpData, RpcTypedData } from '../core-api.ts';
import { schemeOf, type RequestPath } from './request-path.ts';

/** The request as the real host sends it to a function (GrpcMessageConversionExtensions, streaming off). */
export function toRpcRequest(
  request: IncomingMessage,
  { path, search }: RequestPath,
  params: Readonly<Record<string, string>>,
  body: Buffer,
): RpcTypedData {
  const http: RpcHttpData = {
    method: request.method ?? 'GET',
    url: `${schemeOf(request)}://${request.headers.host ?? 'localhost'}${path}${search}`,
    nullableHeaders: nullable(joinedHeaders(request)),
    nullableParams: nullable(params),
    nullableQuery: nullable(joinedQuery(search)),
    ...(body.length === 0 ? {} : { body: { bytes: body } }),
  };
  return { http };
}

/** Header values by lower-case name, repeated ones joined by a comma. */
export function joinedHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(',')]),
  );
}

/** Query values by name; repeated ones are joined by a comma: that is what StringValues.ToString() gives. */
export function joinedQuery(search: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  }
  return query;
}

function nullable(values: Readonly<Record<string, string>>): Record<string, { value: string }> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}

/** Writes what a function returned; nothing at all is an empty 200, as on the real host. */
export function writeRpcResponse(response: ServerResponse, data: RpcHttpData | undefined): void {
  response.statusCode = Number(data?.statusCode ?? 200);
  for (const [name, value] of Object.entries(data?.headers ?? {})) {
    // Node frames the body itself.
    if (!/^(content-length|transfer-encoding|connection)$/i.test(name)) response.appendHeader(name, value);
  }
  for (const cookie of data?.cookies ?? []) response.appendHeader('set-cookie', formatCookie(cookie));
  const bytes = data?.body?.bytes;
  response.end(bytes === null || bytes === undefined ? undefined : Buffer.from(bytes));
}

const sameSiteNames = { lax: 'lax', strict: 'strict', explicitNone: 'none' } as const;

function formatCookie(cookie: RpcHttpCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  const add = (name: string, value: string | number | null | undefined): void => {
    if (value !== null && value !== undefined && value !== '') parts.push(`${name}=${value}`);
  };
  const expires = cookie.expires?.value;
  add('expires', expires ? new Date(Number(expires.seconds) * 1000).toUTCString() : undefined);
  add('max-age', cookie.maxAge?.value);
  add('domain', cookie.domain?.value);
  add('path', cookie.path?.value);
  if (cookie.secure?.value === true) parts.push('secure');
  if (cookie.sameSite !== undefined && cookie.sameSite !== 'none') add('samesite', sameSiteNames[cookie.sameSite]);
  if (cookie.httpOnly?.value === true) parts.push('httponly');
  return parts.join('; ');
}

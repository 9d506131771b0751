import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { IncomingMessage, request as httpRequest, type ClientRequest, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { RpcTypedData } from '../core-api.ts';
import { hostApiReason } from '../invoke.ts';
import { assertAnnouncedLength, BodyTooLarge, limitedBody } from './body.ts';
import { joinedHeaders, joinedQuery } from './convert.ts';
import { sendFailure, type FunctionCall, type FunctionCallOptions } from './function-call.ts';
import { forwardedHeaders } from './proxy-headers.ts';
import { schemeOf } from './request-path.ts';

export interface StreamedCallOptions extends FunctionCallOptions {
  /** Where the library listens for requests: the worker capability `HttpUri`. */
  readonly httpUri: string;
}

/**
 * Calls functions of an app with `enableHttpStream`: the client's request is sent on to the library, which ties it to the
 * invocation by its id, and the library's answer is sent back, both as they come (the real host's DefaultHttpProxyService).
 */
export function createStreamedCall({ httpUri, invoke, log, bodyLimit }: StreamedCallOptions): FunctionCall {
  return async (request, response, target, { fn, params }) => {
    assertAnnouncedLength(request, bodyLimit);
    const id = randomUUID();
    const outgoing = sendOn(request, httpUri, id);
    const tooLarge = upload(request, outgoing, bodyLimit);
    // A client that goes away takes its request to the library with it.
    response.once('close', () => {
      if (!response.writableFinished) outgoing.destroy();
    });
    const download = sendBack(outgoing, response);
    let nothing = false;
    const invocation = connected(outgoing).then(async () => {
      await invoke(fn, {
        id,
        data: { http: {} },
        reason: hostApiReason,
        triggerMetadata: metadataOf(request, target.search, params),
        inspect: (result) => (nothing = result === undefined || result === null),
      });
      if (nothing) throw new Error('It returned nothing: with enableHttpStream the library then sends no answer.');
    });
    try {
      await Promise.race([tooLarge, Promise.all([invocation, download])]);
    } catch (error) {
      outgoing.destroy();
      if (error instanceof BodyTooLarge && !response.headersSent) throw error;
      // When the client is gone nobody is left to answer.
      if (response.destroyed) return;
      log.error(`The function '${fn.name}' failed.`, error);
      log.warn('The real host would answer only after 4 minutes: the library sends no answer for a failed function.');
      if (!request.complete && !response.headersSent) response.setHeader('connection', 'close');
      sendFailure(response);
    }
  };
}

/** A connection of its own for each request: a kept one may close at the moment it is used again. */
function sendOn(request: IncomingMessage, httpUri: string, id: string): ClientRequest {
  const { hostname, port } = new URL(httpUri);
  const headers = {
    ...forwardedHeaders(request),
    // Node would send the body of a DELETE without a length unframed.
    ...(request.headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }),
    'x-ms-invocation-id': id,
    'x-forwarded-host': request.headers.host ?? 'localhost',
    'x-forwarded-proto': schemeOf(request),
  };
  const { method = 'GET', url: path = '/' } = request;
  return httpRequest({ hostname, port, method, path, headers, agent: false });
}

/** Sends the body on as fast as the library takes it. Settles only by rejecting, with BodyTooLarge beyond the limit. */
function upload(request: IncomingMessage, outgoing: ClientRequest, limit: number): Promise<never> {
  const limited = limitedBody(limit);
  // No pipeline: it would close the client's connection when the library closes its own, and no answer could be sent.
  request.pipe(limited).pipe(outgoing);
  outgoing.once('close', () => {
    request.unpipe(limited);
    request.resume();
  });
  return new Promise((_resolve, reject) => void limited.once('error', reject));
}

async function sendBack(outgoing: ClientRequest, response: ServerResponse): Promise<void> {
  const answer: unknown[] = await once(outgoing, 'response');
  const incoming = answer[0];
  // Errors after the answer has begun arrive by the answer itself.
  outgoing.on('error', () => undefined);
  if (!(incoming instanceof IncomingMessage)) throw new TypeError('The library sent no HTTP message.');
  response.writeHead(incoming.statusCode ?? 200, forwardedHeaders(incoming));
  await pipeline(incoming, response);
}

/** The invocation waits for the request, so it begins only when the request is on its way. */
async function connected(outgoing: ClientRequest): Promise<void> {
  const given: unknown[] = await once(outgoing, 'socket');
  const socket = given[0];
  if (socket instanceof Socket && socket.connecting) await once(socket, 'connect');
}

function metadataOf(
  request: IncomingMessage,
  search: string,
  params: Readonly<Record<string, string>>,
): Record<string, RpcTypedData> {
  return {
    ...Object.fromEntries(Object.entries(params).map(([name, value]) => [name, { string: value }])),
    Headers: { json: JSON.stringify(joinedHeaders(request)) },
    Query: { json: JSON.stringify(joinedQuery(search)) },
  };
}

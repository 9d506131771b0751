import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { answerAdmin } from '../admin.ts';
import type { DurableApi } from '../durable/api.ts';
import type { RegisteredFunction } from '../functions.ts';
import type { Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { BodyTooLarge, readBody } from './body.ts';
import { toRpcRequest, writeRpcResponse } from './convert.ts';
import { sendReply } from './reply.ts';
import { parseRequestPath, type RequestPath } from './request-path.ts';
import { findRoute, type Route } from './router.ts';

export interface ServerOptions {
  readonly functions: readonly RegisteredFunction[];
  readonly routes: readonly Route[];
  readonly durable: DurableApi;
  readonly invoke: Invoke;
  readonly log: Log;
}

/** Routes a request as the real host does: admin and webhooks before functions, everything else is not found. */
export function createListener({ functions, routes, durable, invoke, log }: ServerOptions): RequestListener {
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    const target = parseRequestPath(request.url ?? '/');
    if (target.segments[0]?.toLowerCase() === 'admin') {
      request.resume();
      const origin = `http://${request.headers.host ?? 'localhost'}`;
      sendReply(response, answerAdmin(method, target.path, functions, origin));
      return;
    }
    const body = await readBody(request);
    const fromDurable = durable.answer({
      method,
      segments: target.segments,
      query: new URLSearchParams(target.search),
      contentType: request.headers['content-type'] ?? '',
      continuation: request.headers['x-ms-continuation-token']?.toString() || undefined,
      // Most bodies are for functions, and some are large: only the API's own become text.
      get body() {
        return body.toString('utf8');
      },
    });
    if (fromDurable !== undefined) sendReply(response, await fromDurable);
    else await callFunction(request, response, method, target, body);
  }

  async function callFunction(
    request: IncomingMessage,
    response: ServerResponse,
    method: string,
    target: RequestPath,
    body: Buffer,
  ): Promise<void> {
    const found = findRoute(routes, method, target.segments);
    if (found === undefined) {
      sendReply(response, { status: 404 });
      return;
    }
    const { fn, params } = found;
    // With streaming off the real host forwards a body only when its length was announced.
    const announced = Number(request.headers['content-length'] ?? 0) > 0;
    if (!announced && body.length > 0) {
      log.warn(`The body of ${method} ${target.path} came without Content-Length: '${fn.name}' does not see it.`);
    }
    const data = toRpcRequest(request, target, params, announced ? body : Buffer.alloc(0));
    try {
      const reason = 'This function was programmatically called via the host APIs.';
      const { returnValue } = await invoke(fn, { data, reason });
      writeRpcResponse(response, returnValue?.http ?? undefined);
    } catch (error) {
      log.error(`The function '${fn.name}' failed.`, error);
      // What an answer that cannot be sent has left behind.
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      sendReply(response, { status: 500 });
    }
  }

  return (request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (error instanceof BodyTooLarge) {
        response.setHeader('connection', 'close');
        sendReply(response, { status: 413 });
        return;
      }
      // A client that goes away while it sends is no fault of the host.
      if (!request.destroyed) log.error(`${request.method} ${request.url} could not be answered.`, error);
      if (!response.headersSent) sendReply(response, { status: 500 });
    });
  };
}

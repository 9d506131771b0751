import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostApiReason, type Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { readBody } from './body.ts';
import { toRpcRequest, writeRpcResponse } from './convert.ts';
import { sendReply } from './reply.ts';
import type { RequestPath } from './request-path.ts';
import type { RouteMatch } from './router.ts';

/** Lets a function answer a request. Rejects with BodyTooLarge; what the function throws becomes a 500. */
export type FunctionCall = (
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestPath,
  match: RouteMatch,
) => Promise<void>;

export interface FunctionCallOptions {
  readonly invoke: Invoke;
  readonly log: Log;
  /** Bytes that a request's body may have. */
  readonly bodyLimit: number;
}

/** Calls functions of an app without streaming: request and answer are whole. */
export function createBufferedCall({ invoke, log, bodyLimit }: FunctionCallOptions): FunctionCall {
  return async (request, response, target, { fn, params }) => {
    const body = await readBody(request, bodyLimit);
    // With streaming off the real host forwards a body only when its length was announced.
    const announced = Number(request.headers['content-length'] ?? 0) > 0;
    if (!announced && body.length > 0) {
      const call = `${request.method} ${target.path}`;
      log.warn(`The body of ${call} came without Content-Length: '${fn.name}' does not see it.`);
    }
    const data = toRpcRequest(request, target, params, announced ? body : Buffer.alloc(0));
    try {
      const { returnValue } = await invoke(fn, { data, reason: hostApiReason });
      writeRpcResponse(response, returnValue?.http ?? undefined);
    } catch (error) {
      log.error(`The function '${fn.name}' failed.`, error);
      sendFailure(response);
    }
  };
}

/** A 500 without a body in place of what was begun; an answer that is on its way is cut off. */
export function sendFailure(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What an answer that cannot be sent has left behind.
  for (const name of response.getHeaderNames()) if (!name.startsWith('access-control-')) response.removeHeader(name);
  sendReply(response, { status: 500 });
}

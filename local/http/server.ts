import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Admin } from '../admin.ts';
import type { DurableApi } from '../durable/api.ts';
import { rpcPath, webhookPath } from '../durable/links.ts';
import type { Log } from '../log.ts';
import { BodyTooLarge, readBody } from './body.ts';
import type { Cors } from './cors.ts';
import type { FunctionCall } from './function-call.ts';
import type { HostKey } from './host-key.ts';
import { sendHomePage } from './home-page.ts';
import { sendReply } from './reply.ts';
import { parseRequestPath, schemeOf, type RequestPath } from './request-path.ts';
import { findRoute, type Route } from './router.ts';

export interface ServerOptions {
  readonly routes: readonly Route[];
  readonly admin: Admin;
  readonly durable: DurableApi;
  readonly callFunction: FunctionCall;
  readonly cors: Cors;
  readonly hostKey: HostKey;
  /** Bytes that a request's body may have. */
  readonly bodyLimit: number;
  /** Off, `/` is an empty 204 (AzureWebJobsDisableHomepage). */
  readonly homePage: boolean;
  readonly log: Log;
}

/** What follows a prefix; undefined for another path. */
function behind(prefix: string, segments: readonly string[]): readonly string[] | undefined {
  const parts = prefix.split('/').slice(1);
  return parts.every((part, index) => segments[index]?.toLowerCase() === part)
    ? segments.slice(parts.length)
    : undefined;
}

/** Routes a request as the real host does: admin and webhooks before functions, everything else is not found. */
export function createListener(options: ServerOptions): RequestListener {
  const { routes, admin, durable, callFunction, cors, hostKey, bodyLimit, homePage, log } = options;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (cors(request, response)) return;
    const method = request.method ?? 'GET';
    const target = parseRequestPath(request.url ?? '/');
    const { segments, path } = target;
    const origin = `${schemeOf(request)}://${request.headers.host ?? 'localhost'}`;
    const isKeyed = () => hostKey.isBrought(request.headers['x-functions-key'], target.search);
    const adminPath = behind('/admin', segments);
    if (adminPath !== undefined) {
      if (!isKeyed()) return refuse(request, response);
      const body = (await readBody(request, bodyLimit)).toString('utf8');
      sendReply(response, await admin.answer({ method, segments: adminPath, path, body, origin }));
      return;
    }
    const webhook = behind(webhookPath, segments);
    const rpc = behind(rpcPath, segments);
    if (webhook !== undefined || rpc !== undefined) {
      const asked = rpc === undefined ? isKeyed() && webhook : hostKey.behind(rpc);
      if (!asked) return refuse(request, response);
      await answerDurable(request, response, method, { ...target, segments: asked });
      return;
    }
    const found = findRoute(routes, method, segments);
    if (found !== undefined) {
      await callFunction(request, response, target, found);
      return;
    }
    request.resume();
    if (path !== '/') sendReply(response, { status: 404 });
    else if (homePage) sendHomePage(response, routes, origin);
    else sendReply(response, { status: 204 });
  }

  /** Without the key nobody learns whether something is there. */
  function refuse(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    sendReply(response, { status: 401 });
  }

  async function answerDurable(
    request: IncomingMessage,
    response: ServerResponse,
    method: string,
    { segments, search }: RequestPath,
  ): Promise<void> {
    const body = await readBody(request, bodyLimit);
    const reply = durable.answer({
      method,
      segments,
      query: new URLSearchParams(search),
      contentType: request.headers['content-type'] ?? '',
      continuation: request.headers['x-ms-continuation-token']?.toString() || undefined,
      body: body.toString('utf8'),
    });
    sendReply(response, await reply);
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

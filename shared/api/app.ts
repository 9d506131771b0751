import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { forbidden, mayTry } from '../auth/may.ts';
import type { Plane } from '../auth/principal.ts';
import { messageOf, notFound } from '../domain/errors.ts';
import { isoNow, routeDeps, type ApiEnv } from './context.ts';
import { dataRoutes } from './data/routes.ts';
import type { ApiDeps } from './deps.ts';
import { errorResponse, isInternal } from './envelope.ts';
import { historyRoutes } from './history/routes.ts';
import { jobPageRoutes } from './job-page.ts';
import { logRoutes } from './logs/routes.ts';
import { managementRoutes } from './management/routes.ts';
import { discovery } from './management/workspace-routes.ts';
import { mfeRoutes } from './mfe/routes.ts';
import { checkLength } from './request-body.ts';
import { requestLimits } from './request-limits.ts';
import { openApiDocument, type OpenApiDocument } from './openapi/document.ts';
import { noteRoute } from './request-span.ts';
import { routePath } from './route-path.ts';
import { routeOf, routeTable } from './route-table.ts';
import { scoringRoutes } from './scoring/routes.ts';
import { secure } from './security-headers.ts';

export interface Api {
  /** Every route, as `METHOD /path/:name`. */
  readonly routes: readonly string[];
  fetch(request: Request): Promise<Response>;
}

/** Whose audience a path asks for. The workspace's own host (mferp, history, data) takes either (contract 0), and so do unknown paths. */
function planesOf(path: string): readonly Plane[] {
  if (path.startsWith('/endpoints/')) return ['scoring'];
  if (path.startsWith('/subscriptions/')) return ['management'];
  return ['scoring', 'management'];
}

/**
 * All planes behind one door: a token first, then a role for the route, and every fault turned into Azure ML's envelope here and nowhere
 * else. One line of log per request; neither tokens nor queries are in it.
 */
export function createApi(deps: ApiDeps): Api {
  const routes = routeDeps(deps);
  const limits = requestLimits(deps);
  const app = new Hono<ApiEnv>({ getPath: routePath });
  const unknownRoute = (request: Request) =>
    notFound(`There is no ${request.method} ${new URL(request.url).pathname}.`);
  app.use(async (c, next) => {
    const route = routeOf(c);
    if (route) noteRoute(c.req.method, route.path);
    if (route?.action !== 'open') c.set('principal', await limits.admit(c.req.raw.headers, planesOf(c.req.path)));
    // hono would answer HEAD from the GET routes; Azure ML has none.
    if (c.req.raw.method === 'HEAD') throw unknownRoute(c.req.raw);
    if (route && route.action !== 'open') {
      if (!mayTry(c.var.principal, route.action, route.endpoint)) throw forbidden(route.action);
      c.set('action', route.action);
    }
    c.set('maxBodyBytes', deps.limits.bodyBytes);
    checkLength(c);
    await next();
  });
  app.get('/discovery', (c) => c.json(discovery(routes, c.req.raw)));
  let document: OpenApiDocument | undefined;
  app.get('/openapi.json', (c) => c.json((document ??= openApiDocument(app))));
  app.route('/endpoints', scoringRoutes(routes));
  app.route('/subscriptions', managementRoutes(routes));
  app.route('/mferp/managementfrontend/subscriptions', mfeRoutes(routes));
  app.route('/history/v1.0/subscriptions', historyRoutes(routes));
  app.route('/data/v1.0/subscriptions', dataRoutes(routes));
  app.route('/logs', logRoutes(routes));
  app.route('/jobs', jobPageRoutes());
  app.notFound((c) => {
    throw unknownRoute(c.req.raw);
  });
  app.onError((error) => {
    throw error;
  });

  return {
    routes: routeTable(app),

    async fetch(request) {
      const requestId = randomUUID();
      const started = deps.clock.now();
      const path = new URL(request.url).pathname;
      let response: Response;
      try {
        response = await app.fetch(request);
      } catch (error) {
        if (isInternal(error)) {
          const stack = error instanceof Error ? error.stack : undefined;
          deps.log.error({ requestId, method: request.method, path, error: messageOf(error), stack }, 'request failed');
        }
        response = errorResponse(error, {
          requestId,
          location: deps.workspace.location,
          time: isoNow(deps),
          ...(deps.authorizationUri !== undefined && { authorizationUri: deps.authorizationUri }),
        });
      }
      const ms = deps.clock.now() - started;
      if (!response.headers.has('x-ms-response-type')) response.headers.set('x-ms-response-type', 'standard');
      secure(response.headers, deps.baseUrl(request));
      response.headers.set('X-Request-ID', requestId);
      response.headers.set('x-request-time', (ms / 1000).toFixed(3));
      deps.log.info({ method: request.method, path, status: response.status, ms, requestId }, 'request');
      return request.method === 'HEAD' ? new Response(null, response) : response;
    },
  };
}

import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { createApi, type Api } from '../shared/api/app.ts';
import { SECURITY_HEADERS } from '../shared/api/security-headers.ts';
import { inRequestSpan } from '../shared/api/request-span.ts';
import { runtime } from '../shared/runtime.ts';
import { cancelAnyJob } from '../shared/steps/any-job.ts';
import { salvageJob } from '../shared/steps/salvage-job.ts';
import { orchestrations, pipelineOrchestrations, takeClient } from './durable-client.ts';

let api: Api | undefined;

async function makeApi(): Promise<Api> {
  const { apiDeps, jobDeps } = await runtime();
  return createApi({
    ...apiDeps,
    orchestrations,
    pipelineOrchestrations,
    cancelJob: (name) => cancelAnyJob({ ...apiDeps, orchestrations }, name),
    salvageJob: (name) => salvageJob({ ...jobDeps, ...apiDeps, orchestrations }, name),
  });
}

/** Whatever the client wrote into Host: nothing here asks for it, and it may be no URL. */
const ORIGIN = /^https?:\/\/[^/]*/i;

/** The planes are routers of their own behind one catch-all function each; this only translates. */
async function serve(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  takeClient(context);
  const { fetch } = (api ??= await makeApi());
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  const asked = new Request(request.url.replace(ORIGIN, 'http://app.invalid'), {
    method: request.method,
    headers: Object.fromEntries(request.headers.entries()),
    ...(hasBody ? { body: await request.arrayBuffer() } : {}),
  });
  // A host that traces has a span of its own between the caller's and ours.
  const above = context.traceContext?.traceParent || request.headers.get('traceparent');
  const response = await inRequestSpan(request.method, above, () => fetch(asked));
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers.entries()),
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

const planes = {
  scoring: 'endpoints',
  management: 'subscriptions',
  workspaceJobs: 'mferp',
  runHistory: 'history',
  dataPlane: 'data',
  jobLogs: 'logs',
  jobPages: 'jobs',
  // Nothing is there, but the SDK asks: the envelope says so, where the host's own 404 is empty.
  registries: 'registrymanagement',
  assetIndexes: 'genericasset',
};

for (const [name, literal] of Object.entries(planes)) {
  app.http(name, {
    route: `${literal}/{*path}`,
    // All of them, or the host answers 404 by itself.
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'],
    authLevel: 'anonymous',
    extraInputs: [df.input.durableClient()],
    handler: serve,
  });
}

for (const [name, route] of Object.entries({ discovery: 'discovery', openApi: 'openapi.json' })) {
  app.http(name, {
    route,
    methods: ['GET', 'HEAD'],
    authLevel: 'anonymous',
    extraInputs: [df.input.durableClient()],
    handler: serve,
  });
}

app.http('health', {
  route: 'health',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: () => ({ jsonBody: { status: 'ok' }, headers: SECURITY_HEADERS }),
});

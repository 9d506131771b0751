import type { Hono } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Action } from '../auth/may.ts';
import type { ApiContext, ApiEnv } from './context.ts';
import { LOCATION_PATH, WORKSPACE_PATH } from './this-workspace.ts';

/** What a route does to what is behind it; `open` routes need no token. */
type Actions = Readonly<Record<string, Action | 'open'>>;

const below = (prefix: string, actions: Actions): Actions =>
  Object.fromEntries(Object.entries(actions).map(([route, action]) => [route.replace(' ', ` ${prefix}`), action]));

const HOME = `/subscriptions${WORKSPACE_PATH}`;

/** Clients send no token to discovery, a log's URL is its own key; the document and a job's page tell nothing of this app. */
const OPEN: Actions = {
  'GET /discovery': 'open',
  'GET /openapi.json': 'open',
  'GET /logs/:job/*': 'open',
  'GET /jobs/:job': 'open',
};

const SCORING: Actions = {
  'POST /endpoints/:endpoint/jobs': 'jobs/submit',
  'GET /endpoints/:endpoint/jobs': 'jobs/read',
  'GET /endpoints/:endpoint/jobs/*': 'jobs/read',
  'POST /endpoints/:endpoint/jobs/*': 'jobs/change',
};

const jobsOf = (path: string): Actions => ({
  [`GET /${path}/jobs`]: 'jobs/read',
  [`POST /${path}/jobs`]: 'jobs/submit',
  [`GET /${path}/jobs/:job`]: 'jobs/read',
});

const MFE: Actions = {
  ...jobsOf('batchendpoints/:endpoint'),
  ...jobsOf('batchendpoints/:endpoint/deployments/:deployment'),
};

const HISTORY: Actions = {
  'GET /runs/:run': 'jobs/read',
  'PATCH /runs/:run': 'jobs/change',
  'PATCH /experiments/:experiment/runs/:run': 'jobs/change',
  'GET /runs/:run/details': 'jobs/read',
  'GET /runs/:run/children': 'jobs/read',
  'GET /runs/:run/serviceinstances/:node': 'jobs/read',
  'POST /rundata': 'jobs/read',
};

const DATA: Actions = { 'POST /dataversion/:operation': 'jobs/read' };

/** Every change of a resource is one action; `write` of assets depends on what they are. */
const resource = (path: string, write: Action, methods: readonly string[]): Actions =>
  Object.fromEntries(methods.map((method) => [`${method} /${path}`, method === 'GET' ? 'workspace/read' : write]));

const asset = (kind: string, write: Action): Actions => ({
  ...resource(kind, write, ['GET']),
  ...resource(`${kind}/:name`, write, ['GET', 'PUT', 'DELETE']),
  ...resource(`${kind}/:name/versions`, write, ['GET']),
  ...resource(`${kind}/:name/versions/:version`, write, ['GET', 'PUT', 'DELETE']),
  // Hands out a signature for the default datastore's container.
  ...resource(`${kind}/:name/versions/:version/startpendingupload`, write, ['POST']),
});

const WORKSPACE: Actions = {
  'GET ': 'workspace/read',
  ...resource('batchendpoints', 'deployments/write', ['GET']),
  ...resource('batchendpoints/:endpoint', 'deployments/write', ['GET', 'PUT', 'PATCH', 'DELETE']),
  // There are no keys: the answer says so.
  'POST /batchendpoints/:endpoint/listkeys': 'workspace/read',
  ...resource('batchendpoints/:endpoint/deployments', 'deployments/write', ['GET']),
  ...resource('batchendpoints/:endpoint/deployments/:deployment', 'deployments/write', [
    'GET',
    'PUT',
    'PATCH',
    'DELETE',
  ]),
  ...asset('models', 'deployments/write'),
  ...asset('codes', 'deployments/write'),
  ...asset('components', 'deployments/write'),
  ...asset('environments', 'deployments/write'),
  ...asset('data', 'data/write'),
  ...resource('datastores', 'workspace/write', ['GET']),
  ...resource('datastores/:name', 'workspace/write', ['GET', 'PUT', 'DELETE']),
  'POST /datastores/:name/listsecrets': 'datastores/listSecrets',
  ...resource('computes', 'workspace/write', ['GET']),
  ...resource('computes/:name', 'workspace/write', ['GET', 'PUT', 'PATCH', 'DELETE']),
  'POST /computes/:name/listnodes': 'workspace/read',
  'GET /jobs': 'jobs/read',
  'GET /jobs/:job': 'jobs/read',
  // Its body carries commands.
  'PUT /jobs/:job': 'deployments/write',
  'DELETE /jobs/:job': 'jobs/change',
  'POST /jobs/:job/cancel': 'jobs/change',
};

const OPERATIONS: Actions = {
  'GET /mfeoperationsstatus/:id': 'workspace/read',
  'GET /mfeoperationresults/:id': 'workspace/read',
};

/** What each route needs, by `METHOD /path/:name`. A route that is missing here keeps the app from starting. */
export const ROUTE_ACTIONS: Actions = {
  ...OPEN,
  ...SCORING,
  ...below(HOME, WORKSPACE),
  ...below(`/subscriptions${LOCATION_PATH}`, OPERATIONS),
  ...below(`/mferp/managementfrontend${HOME}`, MFE),
  ...below(`/history/v1.0${HOME}`, HISTORY),
  ...below(`/data/v1.0${HOME}`, DATA),
};

/**
 * What the app answers, as `METHOD /path/:name` in order of registration and without middleware, read from the router itself, so
 * that a route cannot be forgotten. Throws when one has no action.
 */
export function routeTable(app: Hono<ApiEnv>): string[] {
  const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
  for (const route of routes)
    if (!Object.hasOwn(ROUTE_ACTIONS, route)) throw new Error(`The route ${route} has no action in ROUTE_ACTIONS.`);
  return [...new Set(routes)];
}

/** The route that will answer, its action, and the endpoint in its path; undefined where no route will. */
export function routeOf(
  c: ApiContext,
): { path: string; action: Action | 'open'; endpoint: string | undefined } | undefined {
  const route = matchedRoutes(c).find(({ method }) => method !== 'ALL');
  const action = route && ROUTE_ACTIONS[`${route.method} ${route.path}`];
  if (!action) return undefined;
  const at = route.path.split('/').indexOf(':endpoint');
  return { path: route.path, action, endpoint: at < 0 ? undefined : c.req.path.split('/')[at] };
}

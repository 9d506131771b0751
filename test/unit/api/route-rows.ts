import { WORKSPACE } from './api-world.ts';

/** One call of a route in a world that holds nothing, and its answer. */
export interface RouteRow {
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  /** Field at fault, for a 400. */
  readonly target?: string;
  /** Served without a token. */
  readonly isPublic?: true;
}

type Rows = Readonly<Record<string, RouteRow>>;

const NAMESPACE = 'providers/microsoft.machinelearningservices';
const HOME = `/subscriptions/:subscription/resourcegroups/:group/${NAMESPACE}/workspaces/:workspace`;

/** Rows below a workspace: `GET models/:name` is short for its name in the table of routes. */
const inWorkspace = (rows: Rows): [string, RouteRow][] =>
  Object.entries(rows).map(([route, row]) => [
    route.replace(' ', ` ${HOME}/`),
    { ...row, path: `${WORKSPACE}/${row.path}` },
  ]);

const BATCH: Rows = {
  'GET batchendpoints': { path: 'batchEndpoints', status: 200 },
  'GET batchendpoints/:endpoint': { path: 'batchEndpoints/none', status: 404 },
  'PUT batchendpoints/:endpoint': { path: 'batchEndpoints/none', body: { tags: 1 }, status: 400, target: 'tags' },
  'PATCH batchendpoints/:endpoint': { path: 'batchEndpoints/none', body: {}, status: 404 },
  'DELETE batchendpoints/:endpoint': { path: 'batchEndpoints/none', status: 204 },
  'GET batchendpoints/:endpoint/deployments': { path: 'batchEndpoints/none/deployments', status: 404 },
  'GET batchendpoints/:endpoint/deployments/:deployment': {
    path: 'batchEndpoints/none/deployments/blue',
    status: 404,
  },
  'PUT batchendpoints/:endpoint/deployments/:deployment': {
    path: 'batchEndpoints/none/deployments/blue',
    body: { properties: { miniBatchSize: 0 } },
    status: 400,
    target: 'properties.miniBatchSize',
  },
  'PATCH batchendpoints/:endpoint/deployments/:deployment': {
    path: 'batchEndpoints/none/deployments/blue',
    body: {},
    status: 404,
  },
  'DELETE batchendpoints/:endpoint/deployments/:deployment': {
    path: 'batchEndpoints/none/deployments/blue',
    status: 204,
  },
};

const MODELS: Rows = {
  'GET models/:model': { path: 'models/none', status: 404 },
  'GET models/:model/versions': { path: 'models/none/versions', status: 404 },
  'GET models/:model/versions/:version': { path: 'models/none/versions/1', status: 404 },
  'PUT models/:model/versions/:version': {
    path: 'models/none/versions/1',
    body: { properties: {} },
    status: 400,
    target: 'properties.modelUri',
  },
};

const JOBS: Rows = {
  'POST jobs/:job/cancel': { path: 'jobs/none/cancel', status: 404 },
};

const LOCATION = '/subscriptions/sub-1/providers/Microsoft.MachineLearningServices/locations/westeurope';

const OPERATIONS: Rows = {
  [`GET /subscriptions/:subscription/${NAMESPACE}/locations/:location/mfeoperationsstatus/:id`]: {
    path: `${LOCATION}/mfeOperationsStatus/none`,
    status: 404,
  },
  [`GET /subscriptions/:subscription/${NAMESPACE}/locations/:location/mfeoperationresults/:id`]: {
    path: `${LOCATION}/mfeOperationResults/none`,
    status: 404,
  },
};

const SCORING: Rows = {
  'POST /endpoints/:endpoint/jobs': { path: '/endpoints/none/jobs', body: {}, status: 400, target: 'properties' },
  'GET /endpoints/:endpoint/jobs': { path: '/endpoints/none/jobs', status: 404 },
  'GET /endpoints/:endpoint/jobs/*': { path: '/endpoints/none/jobs/none', status: 404 },
  'POST /endpoints/:endpoint/jobs/*': { path: '/endpoints/none/jobs/none/cancel', status: 404 },
};

/** Every route of the app with one call of it. A route without a row fails routes.test.ts, and so does a row without a route. */
export const ROUTE_ROWS: Rows = {
  ...SCORING,
  ...OPERATIONS,
  ...Object.fromEntries([BATCH, MODELS, JOBS].flatMap(inWorkspace)),
};

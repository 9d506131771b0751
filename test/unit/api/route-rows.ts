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
const inWorkspace = (rows: Rows, plane = ''): [string, RouteRow][] =>
  Object.entries(rows).map(([route, row]) => [
    route.replace(' ', ` ${plane}${HOME}/`),
    { ...row, path: `${plane}${WORKSPACE}/${row.path}` },
  ]);

const BATCH: Rows = {
  'GET batchendpoints': { path: 'batchEndpoints', status: 200 },
  'GET batchendpoints/:endpoint': { path: 'batchEndpoints/none', status: 404 },
  'PUT batchendpoints/:endpoint': { path: 'batchEndpoints/none', body: { tags: 1 }, status: 400, target: 'tags' },
  'PATCH batchendpoints/:endpoint': { path: 'batchEndpoints/none', body: {}, status: 404 },
  'DELETE batchendpoints/:endpoint': { path: 'batchEndpoints/none', status: 204 },
  'POST batchendpoints/:endpoint/listkeys': { path: 'batchEndpoints/none/listKeys', body: {}, status: 404 },
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

/** Kinds of assets, each with the field that its body lacks in these rows. */
const ASSETS = {
  models: 'modelUri',
  data: 'dataUri',
  codes: 'codeUri',
  components: 'componentSpec',
  environments: 'image',
};

const assetRows = ([kind, field]: [string, string]): Rows => ({
  [`GET ${kind}`]: { path: kind, status: 200 },
  [`GET ${kind}/:name`]: { path: `${kind}/none`, status: 404 },
  [`PUT ${kind}/:name`]: { path: `${kind}/none`, body: {}, status: 400, target: 'properties' },
  [`DELETE ${kind}/:name`]: { path: `${kind}/none`, status: 204 },
  [`DELETE ${kind}/:name/versions/:version`]: { path: `${kind}/none/versions/1`, status: 204 },
  [`GET ${kind}/:name/versions`]: { path: `${kind}/none/versions`, status: 200 },
  [`GET ${kind}/:name/versions/:version`]: { path: `${kind}/none/versions/1`, status: 404 },
  [`PUT ${kind}/:name/versions/:version`]: {
    path: `${kind}/none/versions/1`,
    body: { properties: { [field]: 1, ...(kind === 'data' && { dataType: 'uri_file' }) } },
    status: 400,
    target: `properties.${field}`,
  },
  [`POST ${kind}/:name/versions/:version/startpendingupload`]: {
    path: `${kind}/none/versions/1/startPendingUpload`,
    body: { pendingUploadType: 'Ftp' },
    status: 400,
    target: 'pendingUploadType',
  },
});

const DATASTORES: Rows = {
  'GET datastores': { path: 'datastores', status: 200 },
  'GET datastores/:name': { path: 'datastores/none', status: 404 },
  'PUT datastores/:name': {
    path: 'datastores/none',
    body: { properties: { datastoreType: 'AzureFile', accountName: 'a', containerName: 'c' } },
    status: 400,
    target: 'properties.datastoreType',
  },
  'DELETE datastores/:name': { path: 'datastores/none', status: 204 },
  'POST datastores/:name/listsecrets': { path: 'datastores/none/listSecrets', status: 404 },
};

const COMPUTES: Rows = {
  'GET computes': { path: 'computes', status: 200 },
  'GET computes/:name': { path: 'computes/none', status: 404 },
  'PUT computes/:name': {
    path: 'computes/none',
    body: { properties: { computeType: 'AmlCompute', properties: { scaleSettings: { maxNodeCount: -1 } } } },
    status: 400,
    target: 'properties.properties.scaleSettings.maxNodeCount',
  },
  'PATCH computes/:name': { path: 'computes/none', body: {}, status: 404 },
  'DELETE computes/:name': { path: 'computes/none', status: 204 },
  'POST computes/:name/listnodes': { path: 'computes/none/listNodes', status: 404 },
};

const JOBS: Rows = {
  'GET jobs': { path: 'jobs', status: 200 },
  'GET jobs/:job': { path: 'jobs/none', status: 404 },
  'PUT jobs/:job': { path: 'jobs/none', body: { properties: 1 }, status: 400, target: 'properties' },
  'DELETE jobs/:job': { path: 'jobs/none', status: 404 },
  'POST jobs/:job/cancel': { path: 'jobs/none/cancel', status: 404 },
};

const mfeRows = (of: string, path: string): Rows => ({
  [`GET ${of}/jobs`]: { path: `${path}/jobs`, status: 404 },
  [`POST ${of}/jobs`]: { path: `${path}/jobs`, body: {}, status: 400, target: 'properties' },
  [`GET ${of}/jobs/:job`]: { path: `${path}/jobs/none`, status: 404 },
});

const MFE: Rows = {
  ...mfeRows('batchendpoints/:endpoint', 'batchEndpoints/none'),
  ...mfeRows('batchendpoints/:endpoint/deployments/:deployment', 'batchEndpoints/none/deployments/none'),
};

const HISTORY: Rows = {
  'GET runs/:run': { path: 'runs/none', status: 404 },
  'PATCH runs/:run': { path: 'runs/none', body: {}, status: 404 },
  'PATCH experiments/:experiment/runs/:run': { path: 'experiments/any/runs/none', body: {}, status: 404 },
  'GET runs/:run/details': { path: 'runs/none/details', status: 404 },
  'GET runs/:run/children': { path: 'runs/none/children', status: 404 },
  'GET runs/:run/serviceinstances/:node': { path: 'runs/none/serviceinstances/0', status: 404 },
  'POST rundata': { path: 'rundata', body: {}, status: 400, target: 'runId' },
};

const DATA: Rows = {
  'POST dataversion/:operation': {
    path: 'dataversion/batchGetResolvedUris',
    body: { values: 1 },
    status: 400,
    target: 'values',
  },
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

const ROOT: Rows = {
  'GET /discovery': { path: '/discovery', status: 200, isPublic: true },
  'GET /openapi.json': { path: '/openapi.json', status: 200, isPublic: true },
  [`GET ${HOME}`]: { path: WORKSPACE, status: 200 },
};

const PEOPLE: Rows = {
  'GET /logs/:job/*': { path: '/logs/none/user_logs/std_log.txt', status: 403, isPublic: true },
  'GET /jobs/:job': { path: '/jobs/a%2Fb', status: 404, isPublic: true },
};

const SCORING: Rows = {
  'POST /endpoints/:endpoint/jobs': { path: '/endpoints/none/jobs', body: {}, status: 400, target: 'properties' },
  'GET /endpoints/:endpoint/jobs': { path: '/endpoints/none/jobs', status: 404 },
  'GET /endpoints/:endpoint/jobs/*': { path: '/endpoints/none/jobs/none', status: 404 },
  'POST /endpoints/:endpoint/jobs/*': { path: '/endpoints/none/jobs/none/cancel', status: 404 },
};

/** Every route of the app with one call of it. A route without a row fails routes.test.ts, and so does a row without a route. */
export const ROUTE_ROWS: Rows = {
  ...ROOT,
  ...SCORING,
  ...OPERATIONS,
  ...PEOPLE,
  ...Object.fromEntries([
    ...inWorkspace(MFE, '/mferp/managementfrontend'),
    ...inWorkspace(HISTORY, '/history/v1.0'),
    ...inWorkspace(DATA, '/data/v1.0'),
  ]),
  ...Object.fromEntries(
    [BATCH, ...Object.entries(ASSETS).map(assetRows), DATASTORES, COMPUTES, JOBS].flatMap((rows) => inWorkspace(rows)),
  ),
};

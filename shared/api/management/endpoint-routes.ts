import { Hono } from 'hono';
import { badRequest } from '../../domain/errors.ts';
import { EndpointBody } from '../../domain/management.ts';
import type { EndpointRecord } from '../../domain/resources.ts';
import { deleteEndpoint, endpointOf, patchEndpoint, putEndpoint } from '../../steps/endpoints.ts';
import { authorOf, etagHeader, isoNow, publicUrl, type ApiContext, type ApiEnv, type RouteDeps } from '../context.ts';
import { jsonBody } from '../json-body.ts';
import { nextLink, pageRequest } from '../paging.ts';
import { may } from '../../auth/may.ts';
import { filteredPage } from '../../steps/filtered-page.ts';
import { endpointId, PROVIDER, systemData } from '../resource-ids.ts';
import { operationHeaders, statusUrl } from './operations.ts';

/** Since this version of the API, jobs take `inputData` and not `dataset` (contract 1.2). */
const CREATION_API_VERSION = '2022-05-01';

/** `batchEndpoints` of a workspace (contract 3.1). */
export function endpointRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const scope = 'endpoints';

  return new Hono<ApiEnv>()
    .get('/', async (c) => {
      const url = publicUrl(deps, c.req.raw);
      const { limit, continuation } = await pageRequest(url, scope, deps.ids);
      const page = await filteredPage(
        (size, from) => deps.registry.endpoints.list([], size, from),
        ({ name }) => may(c.var.principal, 'workspace/read', { endpoint: name }),
        limit,
        continuation,
      );
      return c.json({
        value: await Promise.all(page.records.map((record) => endpointResource(deps, c, record))),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    })
    .get('/:endpoint', async (c) => {
      const record = await endpointOf(deps, c.req.param('endpoint'));
      return c.json(await endpointResource(deps, c, record), 200, etagHeader(record));
    })
    .put('/:endpoint', jsonBody(EndpointBody), async (c) => {
      const body = c.req.valid('json');
      const { record, created } = await putEndpoint(deps, c.req.param('endpoint'), body, authorOf(c));
      return answer(deps, c, record, created ? 201 : 200);
    })
    .patch('/:endpoint', jsonBody(EndpointBody), async (c) => {
      const body = c.req.valid('json');
      return answer(deps, c, await patchEndpoint(deps, c.req.param('endpoint'), body, authorOf(c)), 200);
    })
    .post('/:endpoint/listkeys', async (c) => {
      const { name } = await endpointOf(deps, c.req.param('endpoint'));
      throw badRequest(
        `Endpoint '${name}' has no keys: its authMode is AADToken, so callers send a Microsoft Entra token.`,
      );
    })
    .delete('/:endpoint', async (c) => {
      if (!(await deleteEndpoint(deps, c.req.param('endpoint'), authorOf(c)))) return c.body(null, 204);
      return Response.json(null, { status: 202, headers: await operationHeaders(deps, c, 'be', isoNow(deps)) });
    });
}

async function answer(deps: RouteDeps, c: ApiContext, record: EndpointRecord, status: 200 | 201): Promise<Response> {
  const headers = await operationHeaders(deps, c, 'be', record.modifiedAt, publicUrl(deps, c.req.raw).href);
  return Response.json(await endpointResource(deps, c, record), {
    status,
    headers: { ...headers, ...etagHeader(record) },
  });
}

/** An endpoint as Azure ML shows it. */
async function endpointResource(deps: RouteDeps, c: ApiContext, record: EndpointRecord) {
  return {
    id: endpointId(deps.workspace, record.name),
    name: record.name,
    type: `${PROVIDER}/workspaces/batchEndpoints`,
    location: deps.workspace.location,
    tags: record.tags,
    identity: { type: 'None', principalId: null, tenantId: null },
    properties: {
      description: record.description,
      properties: {
        ...record.properties,
        BatchEndpointCreationApiVersion: CREATION_API_VERSION,
        AzureAsyncOperationUri: await statusUrl(deps, c, 'be', record.modifiedAt),
      },
      scoringUri: `${deps.baseUrl(c.req.raw)}/endpoints/${record.name}/jobs`,
      swaggerUri: null,
      authMode: 'AADToken',
      defaults: { deploymentName: record.defaultDeployment },
      provisioningState: 'Succeeded',
    },
    systemData: systemData(record),
  };
}

import { Hono } from 'hono';
import { formatDuration } from '../../domain/invocation-settings.ts';
import { DeploymentBody } from '../../domain/management.ts';
import {
  isPipelineDeployment,
  type DeploymentRecord,
  type ModelDeployment,
  type PipelineDeployment,
} from '../../domain/deployment-record.ts';
import type { WorkspaceAddress } from '../../domain/uri.ts';
import { deleteDeployment, deploymentOf, patchDeployment, putDeployment } from '../../steps/deployments.ts';
import { endpointOf } from '../../steps/endpoints.ts';
import {
  authorOf,
  etagHeader,
  isoNow,
  jobCaller,
  publicUrl,
  type ApiContext,
  type ApiEnv,
  type RouteDeps,
} from '../context.ts';
import { jsonBody } from '../json-body.ts';
import { nextLink, pageRequest } from '../paging.ts';
import { assetVersionId, deploymentId, PROVIDER, systemData } from '../resource-ids.ts';
import { operationHeaders } from './operations.ts';

/** `batchEndpoints/{endpoint}/deployments` of a workspace (contract 3.2). */
export function deploymentRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const collection = '/:endpoint/deployments';
  const resource = '/:endpoint/deployments/:deployment';

  return new Hono<ApiEnv>()
    .get(collection, async (c) => {
      const endpoint = await endpointOf(deps, c.req.param('endpoint'));
      const scope = `deployments|${endpoint.name}`;
      const url = publicUrl(deps, c.req.raw);
      const { limit, continuation } = await pageRequest(url, scope, deps.ids);
      const page = await deps.registry.deployments.list([endpoint.name], limit, continuation);
      return c.json({
        value: page.records.map((record) => deploymentResource(deps, record)),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    })
    .get(resource, async (c) => {
      const endpoint = await endpointOf(deps, c.req.param('endpoint'));
      const record = await deploymentOf(deps, endpoint.name, c.req.param('deployment'));
      return c.json(deploymentResource(deps, record), 200, etagHeader(record));
    })
    .put(resource, jsonBody(DeploymentBody), async (c) => {
      const { endpoint, deployment } = c.req.param();
      const body = c.req.valid('json');
      const { record, created } = await putDeployment(
        deps,
        endpoint,
        deployment,
        body,
        authorOf(c),
        jobCaller(c, deps),
      );
      return answer(deps, c, record, created ? 201 : 200);
    })
    .patch(resource, jsonBody(DeploymentBody), async (c) => {
      const { endpoint, deployment } = c.req.param();
      const body = c.req.valid('json');
      return answer(
        deps,
        c,
        await patchDeployment(deps, endpoint, deployment, body, authorOf(c), jobCaller(c, deps)),
        200,
      );
    })
    .delete(resource, async (c) => {
      const { endpoint, deployment } = c.req.param();
      if (!(await deleteDeployment(deps, endpoint, deployment, authorOf(c)))) return c.body(null, 204);
      return Response.json(null, { status: 202, headers: await operationHeaders(deps, c, 'bd', isoNow(deps)) });
    });
}

async function answer(deps: RouteDeps, c: ApiContext, record: DeploymentRecord, status: 200 | 201): Promise<Response> {
  const headers = await operationHeaders(deps, c, 'bd', record.modifiedAt, publicUrl(deps, c.req.raw).href);
  return Response.json(deploymentResource(deps, record), { status, headers: { ...headers, ...etagHeader(record) } });
}

/** A deployment as Azure ML shows it. */
function deploymentResource({ workspace }: RouteDeps, record: DeploymentRecord) {
  const { settings } = record;
  return {
    id: deploymentId(workspace, record.endpoint, record.name),
    name: record.name,
    type: `${PROVIDER}/workspaces/batchEndpoints/deployments`,
    location: workspace.location,
    tags: record.tags,
    properties: {
      description: record.description,
      properties: record.properties,
      compute: record.compute,
      errorThreshold: settings.errorThreshold,
      retrySettings: { maxRetries: settings.maxRetries, timeout: formatDuration(settings.timeoutSeconds) },
      miniBatchSize: settings.miniBatchSize,
      loggingLevel: settings.loggingLevel,
      maxConcurrencyPerInstance: settings.maxConcurrencyPerInstance,
      outputAction: settings.outputAction,
      outputFileName: settings.outputFileName,
      resources: { instanceCount: settings.instanceCount, instanceType: null, properties: null },
      ...(isPipelineDeployment(record) ? pipelineFields(workspace, record) : modelFields(workspace, record)),
      provisioningState: 'Succeeded',
    },
    systemData: systemData(record),
  };
}

const modelFields = (workspace: WorkspaceAddress, { model, ...record }: ModelDeployment) => ({
  codeConfiguration: record.codeConfiguration,
  environmentId: record.environmentId,
  environmentVariables: record.environmentVariables,
  model: { referenceType: 'Id', assetId: assetVersionId(workspace, 'models', model.name, model.version) },
});

/** The client looks for `componentId` and `settings` (contract 3.2). */
const pipelineFields = (workspace: WorkspaceAddress, { pipeline }: PipelineDeployment) => {
  const { name, version } = pipeline.component;
  return {
    codeConfiguration: null,
    environmentId: null,
    environmentVariables: {},
    model: null,
    deploymentConfiguration: {
      deploymentConfigurationType: 'PipelineComponent',
      componentId: { referenceType: 'Id', assetId: assetVersionId(workspace, 'components', name, version) },
      settings: pipeline.settings,
      description: pipeline.description,
      tags: pipeline.tags,
    },
  };
};

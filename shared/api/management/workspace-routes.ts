import { Hono } from 'hono';
import type { ApiContext, ApiEnv, RouteDeps } from '../context.ts';
import { PROVIDER, workspaceIdOf } from '../resource-ids.ts';

/** The workspace itself (contract 3.5): what clients read first to find the other planes. */
export const workspaceRoutes = (deps: RouteDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>().get('/', (c) => c.json(workspaceResource(deps, c)));

function workspaceResource(deps: RouteDeps, c: ApiContext) {
  const { workspace, datastores } = deps;
  const base = deps.baseUrl(c.req.raw);
  const id = workspaceIdOf(workspace);
  const { account } = datastores.default.address;
  const scope = `/subscriptions/${workspace.subscriptionId}/resourceGroups/${workspace.resourceGroup}`;
  return {
    id,
    name: workspace.workspace,
    type: `${PROVIDER}/workspaces`,
    location: workspace.location,
    tags: {},
    kind: 'Default',
    sku: { name: 'Basic', tier: 'Basic' },
    identity: { type: 'None' },
    properties: {
      friendlyName: workspace.workspace,
      description: '',
      provisioningState: 'Succeeded',
      workspaceId: workspace.workspaceId,
      tenantId: workspace.tenantId,
      storageAccount: `${scope}/providers/Microsoft.Storage/storageAccounts/${account}`,
      discoveryUrl: `${base}/discovery`,
      mlFlowTrackingUri: `azureml://${new URL(base).host}/mlflow/v1.0${id}`,
      publicNetworkAccess: 'Enabled',
      v1LegacyMode: false,
    },
    systemData: null,
  };
}

/** Where a client finds the other planes. It sends no token (contract 0). */
export const discovery = (deps: RouteDeps, request: Request) => {
  const base = deps.baseUrl(request);
  return { api: base, history: base };
};

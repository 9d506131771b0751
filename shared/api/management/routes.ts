import { Hono } from 'hono';
import type { ApiEnv, RouteDeps } from '../context.ts';
import { ApiError } from '../../domain/errors.ts';
import { CODES, DATA, ENVIRONMENTS, MODELS } from '../../steps/asset-kinds.ts';
import { CHECKED_COMPONENTS } from '../../steps/pipeline/register-component.ts';
import { LOCATION_PATH, thisSubscription, thisWorkspace, WORKSPACE_PATH } from '../this-workspace.ts';
import { assetRoutes } from './asset-routes.ts';
import { computeRoutes } from './compute-routes.ts';
import { datastoreRoutes } from './datastore-routes.ts';
import { deploymentRoutes } from './deployment-routes.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { operationRoutes } from './operations.ts';
import { workspaceRoutes } from './workspace-routes.ts';

/**
 * The management plane below `/subscriptions` (contract 3). Literals are lower-case here because the path is canonical by now
 * (route-path.ts).
 */
export function managementRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.use('/:subscription/*', thisSubscription(deps));
  app.use(WORKSPACE_PATH, thisWorkspace(deps));
  app.use(`${WORKSPACE_PATH}/*`, thisWorkspace(deps));
  app.route(WORKSPACE_PATH, workspaceRoutes(deps));
  app.route(`${WORKSPACE_PATH}/datastores`, datastoreRoutes(deps));
  app.route(`${WORKSPACE_PATH}/computes`, computeRoutes(deps));
  app.route(`${WORKSPACE_PATH}/batchendpoints`, endpointRoutes(deps));
  app.route(`${WORKSPACE_PATH}/batchendpoints`, deploymentRoutes(deps));
  for (const kind of [MODELS, DATA, ENVIRONMENTS, CODES, CHECKED_COMPONENTS])
    app.route(`${WORKSPACE_PATH}/${kind.kind}`, assetRoutes(deps, kind));
  app.route(`${WORKSPACE_PATH}/jobs`, jobRoutes(deps));
  app.all(`${WORKSPACE_PATH}/onlineendpoints/*`, () => {
    throw new ApiError(501, 'NotImplemented', 'There are no online endpoints here: batch endpoints only.');
  });
  app.route(LOCATION_PATH, operationRoutes(deps));
  return app;
}

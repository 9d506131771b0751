import { Hono } from 'hono';
import type { ApiEnv, RouteDeps } from '../context.ts';
import { LOCATION_PATH, thisSubscription, thisWorkspace, WORKSPACE_PATH } from '../this-workspace.ts';
import { deploymentRoutes } from './deployment-routes.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { modelRoutes } from './model-routes.ts';
import { operationRoutes } from './operations.ts';

/**
 * The management plane below `/subscriptions` (contract 3). Literals are lower-case here because the path is canonical by now
 * (route-path.ts).
 */
export function managementRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.use('/:subscription/*', thisSubscription(deps));
  app.use(`${WORKSPACE_PATH}/*`, thisWorkspace(deps));
  app.route(`${WORKSPACE_PATH}/batchendpoints`, endpointRoutes(deps));
  app.route(`${WORKSPACE_PATH}/batchendpoints`, deploymentRoutes(deps));
  app.route(`${WORKSPACE_PATH}/models`, modelRoutes(deps));
  app.route(`${WORKSPACE_PATH}/jobs`, jobRoutes(deps));
  app.route(LOCATION_PATH, operationRoutes(deps));
  return app;
}

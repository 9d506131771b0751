import { Hono } from 'hono';
import type { ApiEnv, RouteDeps } from '../context.ts';
import { resourceNotFound } from '../resource-ids.ts';
import { deploymentRoutes } from './deployment-routes.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { modelRoutes } from './model-routes.ts';
import { jobRoutes, operationRoutes } from './operations.ts';

const NAMESPACE = 'providers/microsoft.machinelearningservices';

/**
 * The management plane below `/subscriptions` (contract 3). Literals are lower-case here because the path is canonical by now
 * (route-path.ts). This app is one workspace: every other one is 404.
 */
export function managementRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const { subscriptionId, resourceGroup, workspace } = deps.workspace;
  const same = (given: string | undefined, ours: string): boolean => given?.toLowerCase() === ours.toLowerCase();
  const home = `/:subscription/resourcegroups/:group/${NAMESPACE}/workspaces/:workspace`;
  const app = new Hono<ApiEnv>();
  app.use('/:subscription/*', async (c, next) => {
    if (!same(c.req.param('subscription'), subscriptionId)) throw resourceNotFound('The subscription');
    await next();
  });
  app.use(`${home}/*`, async (c, next) => {
    if (!same(c.req.param('group'), resourceGroup)) throw resourceNotFound('The resource group');
    if (!same(c.req.param('workspace'), workspace)) throw resourceNotFound('The workspace');
    await next();
  });
  app.route(`${home}/batchendpoints`, endpointRoutes(deps));
  app.route(`${home}/batchendpoints`, deploymentRoutes(deps));
  app.route(`${home}/models`, modelRoutes(deps));
  app.route(`${home}/jobs`, jobRoutes(deps));
  app.route(`/:subscription/${NAMESPACE}/locations/:location`, operationRoutes(deps));
  return app;
}

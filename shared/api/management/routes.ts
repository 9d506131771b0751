import { Hono, type MiddlewareHandler } from 'hono';
import type { ApiEnv, RouteDeps } from '../context.ts';
import { resourceNotFound } from '../../domain/errors.ts';
import { CODES, COMPONENTS, DATA, ENVIRONMENTS, MODELS } from '../../steps/asset-kinds.ts';
import { computeRoutes } from './compute-routes.ts';
import { datastoreRoutes } from './datastore-routes.ts';
import { deploymentRoutes } from './deployment-routes.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { assetRoutes } from './asset-routes.ts';
import { jobRoutes, operationRoutes } from './operations.ts';
import { workspaceRoutes } from './workspace-routes.ts';

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
  const ours: MiddlewareHandler<ApiEnv> = async (c, next) => {
    if (!same(c.req.param('group'), resourceGroup)) throw resourceNotFound('The resource group');
    if (!same(c.req.param('workspace'), workspace)) throw resourceNotFound('The workspace');
    await next();
  };
  app.use(home, ours);
  app.use(`${home}/*`, ours);
  app.route(home, workspaceRoutes(deps));
  app.route(`${home}/datastores`, datastoreRoutes(deps));
  app.route(`${home}/computes`, computeRoutes(deps));
  app.route(`${home}/batchendpoints`, endpointRoutes(deps));
  app.route(`${home}/batchendpoints`, deploymentRoutes(deps));
  app.route(`${home}/models`, assetRoutes(deps, MODELS));
  for (const kind of [DATA, ENVIRONMENTS, CODES, COMPONENTS])
    app.route(`${home}/${kind.kind}`, assetRoutes(deps, kind));
  app.route(`${home}/jobs`, jobRoutes(deps));
  app.route(`/:subscription/${NAMESPACE}/locations/:location`, operationRoutes(deps));
  return app;
}

import type { MiddlewareHandler } from 'hono';
import type { ApiEnv, RouteDeps } from './context.ts';
import { resourceNotFound } from '../domain/errors.ts';

const NAMESPACE = 'providers/microsoft.machinelearningservices';

/** A workspace's path below `subscriptions`, with its literals in lower case (route-path.ts). */
export const WORKSPACE_PATH = `/:subscription/resourcegroups/:group/${NAMESPACE}/workspaces/:workspace`;

/** A location's path below `subscriptions`. */
export const LOCATION_PATH = `/:subscription/${NAMESPACE}/locations/:location`;

const same = (given: string | undefined, ours: string): boolean => given?.toLowerCase() === ours.toLowerCase();

/** This app is one workspace of one subscription: every other one is 404. */
export const thisSubscription =
  ({ workspace }: RouteDeps): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    if (!same(c.req.param('subscription'), workspace.subscriptionId)) throw resourceNotFound('The subscription');
    await next();
  };

export const thisWorkspace =
  ({ workspace }: RouteDeps): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    if (!same(c.req.param('group'), workspace.resourceGroup)) throw resourceNotFound('The resource group');
    if (!same(c.req.param('workspace'), workspace.workspace)) throw resourceNotFound('The workspace');
    await next();
  };

import { Hono } from 'hono';
import type { ApiEnv, RouteDeps } from '../context.ts';
import { batchJobs, invocationBody } from '../scoring/batch-jobs.ts';
import { thisSubscription, thisWorkspace, WORKSPACE_PATH } from '../this-workspace.ts';

/** The jobs of an endpoint or of one deployment at the workspace's own host (contract 1.3), as `list_jobs` asks for them. */
export function mfeRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const jobs = batchJobs(deps);
  const ofEndpoint = `${WORKSPACE_PATH}/batchendpoints/:endpoint/jobs`;
  const ofDeployment = `${WORKSPACE_PATH}/batchendpoints/:endpoint/deployments/:deployment/jobs`;
  return new Hono<ApiEnv>()
    .use('/:subscription/*', thisSubscription(deps))
    .use(`${WORKSPACE_PATH}/*`, thisWorkspace(deps))
    .get(ofEndpoint, (c) => jobs.list(c, c.req.param('endpoint'), c.req.query('deployment')))
    .get(ofDeployment, (c) => jobs.list(c, c.req.param('endpoint'), c.req.param('deployment')))
    .post(ofEndpoint, invocationBody(), (c) => jobs.invoke(c, c.req.valid('json'), c.req.param('endpoint')))
    .post(ofDeployment, invocationBody(), (c) =>
      jobs.invoke(c, c.req.valid('json'), c.req.param('endpoint'), c.req.param('deployment')),
    )
    .get(`${ofEndpoint}/:job`, (c) => jobs.get(c, c.req.param('endpoint'), c.req.param('job')))
    .get(`${ofDeployment}/:job`, (c) => jobs.get(c, c.req.param('endpoint'), c.req.param('job')));
}

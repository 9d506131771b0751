import { Hono } from 'hono';
import { badRequest, notFound } from '../../domain/errors.ts';
import { InvocationBody } from '../../domain/invocation.ts';
import { isJobName } from '../../domain/management-names.ts';
import { endpointOf } from '../../steps/endpoints.ts';
import { invokeEndpoint, type InvokeDeps } from '../../steps/invoke-endpoint.ts';
import { listJobs, viewJob, type JobView } from '../../steps/job-view.ts';
import { publicUrl, type ApiContext, type ApiEnv, type RouteDeps } from '../context.ts';
import { nextLink, pageRequest } from '../paging.ts';
import { readBody } from '../request-body.ts';
import { lastSegments } from '../route-path.ts';
import { jobResource } from './job-resource.ts';

const DEPLOYMENT_HEADER = 'azureml-model-deployment';

/** The SDK's header (sic), the standard's, and the one that other clients know. */
const REQUEST_ID_HEADERS = ['repeatability_request-id', 'repeatability-request-id', 'idempotency-key'] as const;

/** The scoring plane below `/endpoints` (contract 1). */
export function scoringRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const invokeDeps: InvokeDeps = {
    ...deps,
    uriRules: { workspace: deps.workspace, datastores: deps.datastores.map((store) => store.address) },
  };

  /** A job of this endpoint; one of another endpoint does not exist here. */
  const jobOf = async (endpoint: string, written: string): Promise<JobView> => {
    const name = written.toLowerCase();
    const view = isJobName(name) ? await viewJob(deps, name) : undefined;
    if (!view || view.spec.endpoint.toLowerCase() !== endpoint.toLowerCase())
      throw notFound(`There is no job '${written.slice(0, 120)}' of endpoint '${endpoint.slice(0, 80)}'.`);
    return view;
  };

  const resourceOf = (c: ApiContext, view: JobView) =>
    jobResource(view, { workspace: deps.workspace, url: jobUrl(deps, c, view) });

  const answer = (c: ApiContext, view: JobView, status: 200 | 201): Response =>
    Response.json(resourceOf(c, view), {
      status,
      headers: {
        [DEPLOYMENT_HEADER]: view.spec.deployment,
        ...(status === 201 ? { Location: jobUrl(deps, c, view) } : {}),
      },
    });

  /** Azure ML knows the first; what a stopped job has finished is thrown away there. */
  const actions: Readonly<Record<string, (name: string) => Promise<JobView>>> = {
    cancel: deps.cancelJob,
    salvage: deps.salvageJob,
  };

  return new Hono<ApiEnv>()
    .post('/:endpoint/jobs', async (c) => {
      const deployment = c.req.header(DEPLOYMENT_HEADER)?.trim();
      const { properties: invocation } = await readBody(c.req.raw, InvocationBody);
      const name = await invokeEndpoint(invokeDeps, {
        endpoint: c.req.param('endpoint'),
        deployment: deployment === '' ? undefined : deployment,
        invocation,
        requestId: requestIdOf(c),
        caller: c.var.principal.subject,
      });
      return answer(c, await jobOf(c.req.param('endpoint'), name), 201);
    })
    .get('/:endpoint/jobs', async (c) => {
      const endpoint = await endpointOf(deps, c.req.param('endpoint'));
      const asked = c.req.query('deployment');
      // Of a deployment that is gone, too.
      const deployment = asked ? asked.slice(0, 80) : undefined;
      const scope = `jobs|${endpoint.name}|${deployment ?? ''}`;
      const url = publicUrl(deps, c.req.raw);
      const { limit, continuation } = await pageRequest(url, scope, deps.ids);
      const filter = { endpoint: endpoint.name, ...(deployment !== undefined && { deployment }) };
      const page = await listJobs(deps, filter, limit, continuation);
      return c.json({
        value: page.views.map((view) => resourceOf(c, view)),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    })
    .get('/:endpoint/jobs/*', async (c) =>
      // Data Factory templates append the job's whole ARM id (contract 2): only the last segment counts.
      answer(c, await jobOf(c.req.param('endpoint'), lastSegments(c.req.raw).last), 200),
    )
    .post('/:endpoint/jobs/*', async (c) => {
      const { last, before } = lastSegments(c.req.raw);
      const act = Object.hasOwn(actions, last.toLowerCase()) ? actions[last.toLowerCase()] : undefined;
      if (!act) throw notFound('The only things to POST to a job are /cancel and /salvage.');
      const { spec } = await jobOf(c.req.param('endpoint'), before);
      return answer(c, await act(spec.name), 200);
    });
}

const jobUrl = (deps: RouteDeps, c: ApiContext, { spec }: JobView): string =>
  `${deps.baseUrl(c.req.raw)}/endpoints/${spec.endpoint}/jobs/${spec.name}`;

function requestIdOf(c: ApiContext): string | undefined {
  const given = REQUEST_ID_HEADERS.map((name) => c.req.header(name)?.trim()).filter((id) => id !== undefined);
  if (new Set(given).size > 1) throw badRequest(`Give one request id: ${REQUEST_ID_HEADERS.join(', ')} differ.`);
  return given[0];
}

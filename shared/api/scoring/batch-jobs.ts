import { z } from 'zod';
import { caselessObject } from '../../domain/caseless.ts';
import { badRequest, notFound } from '../../domain/errors.ts';
import { isJobName } from '../../domain/management-names.ts';
import { endpointOf } from '../../steps/endpoints.ts';
import { INVOCATION_BODIES, invokeDeployment } from '../../steps/invoke-deployment.ts';
import { viewAnyJob, type AnyJobView, type ListedJobView } from '../../steps/any-job.ts';
import { jobCaller, publicUrl, type ApiContext, type RouteDeps } from '../context.ts';
import { jsonBody } from '../json-body.ts';
import { nextLink, PAGE_OF_JOBS, pageRequest } from '../paging.ts';
import { listReadable, readable } from '../readable-jobs.ts';
import { jobPageUrl } from '../run-lookup.ts';
import { batchPipelineResource } from '../management/pipeline-resource.ts';
import { DEPLOYMENT_HEADER, REQUEST_ID_HEADERS } from './invocation-headers.ts';
import { jobResource } from './job-resource.ts';

/** What invocations of all kinds of deployments have in common. */
const AnyInvocation = caselessObject({ properties: z.record(z.string(), z.unknown()) });

/** Reads an invocation as far as it can be before its deployment is known. */
export const invocationBody = <Path extends string>() =>
  jsonBody<typeof AnyInvocation, Path>(AnyInvocation, { later: INVOCATION_BODIES });

type Invocation = z.infer<typeof AnyInvocation>;

/** An endpoint's jobs as both of its hosts serve them: the scoring plane and the workspace's own (contract 1). */
export interface BatchJobs {
  /** `deployment` goes before the header. */
  invoke(c: ApiContext, body: Invocation, endpoint: string, deployment?: string): Promise<Response>;
  list(c: ApiContext, endpoint: string, deployment?: string): Promise<Response>;
  get(c: ApiContext, endpoint: string, job: string): Promise<Response>;
  /** A job of this endpoint; one of another endpoint does not exist here. Throws ApiError 404. */
  find(c: ApiContext, endpoint: string, job: string): Promise<AnyJobView>;
  answer(c: ApiContext, view: AnyJobView, status: 200 | 201): Response;
}

export function batchJobs(deps: RouteDeps): BatchJobs {
  const find = async (c: ApiContext, endpoint: string, written: string): Promise<AnyJobView> => {
    const name = written.toLowerCase();
    const view = isJobName(name) ? await viewAnyJob(deps, name) : undefined;
    const isHere = view?.spec.endpoint?.toLowerCase() === endpoint.toLowerCase();
    const found = isHere ? readable(c, view) : undefined;
    if (!found) throw notFound(`There is no job '${written.slice(0, 120)}' of endpoint '${endpoint.slice(0, 80)}'.`);
    return found;
  };

  const resourceOf = (c: ApiContext, view: ListedJobView) => {
    const around = { workspace: deps.workspace, page: jobPageUrl(deps, c.req.raw, view.spec.name) };
    return view.kind === 'scoring' ? jobResource(view, around) : batchPipelineResource(view, around);
  };

  const answer = (c: ApiContext, view: AnyJobView, status: 200 | 201): Response =>
    Response.json(resourceOf(c, view), {
      status,
      headers: {
        ...(view.spec.deployment !== null && { [DEPLOYMENT_HEADER]: view.spec.deployment }),
        ...(status === 201 ? { Location: jobUrl(deps, c, view) } : {}),
      },
    });

  return {
    find,
    answer,

    async invoke(c, body, endpoint, deployment) {
      const asked = deployment ?? c.req.header(DEPLOYMENT_HEADER)?.trim();
      const { name, view } = await invokeDeployment(deps, {
        endpoint,
        deployment: asked === '' ? undefined : asked,
        body,
        requestId: requestIdOf(c),
        caller: jobCaller(c, deps),
      });
      return answer(c, readable(c, view) ?? (await find(c, endpoint, name)), 201);
    },

    async list(c, written, deployment) {
      const endpoint = await endpointOf(deps, written);
      // Of a deployment that is gone, too.
      const asked = deployment ? deployment.slice(0, 80) : undefined;
      const scope = `jobs|${endpoint.name}|${asked ?? ''}`;
      const url = publicUrl(deps, c.req.raw);
      const { limit, continuation } = await pageRequest(url, scope, deps.ids, PAGE_OF_JOBS);
      const filter = { endpoint: endpoint.name, ...(asked !== undefined && { deployment: asked }) };
      const page = await listReadable(c, deps, filter, limit, continuation);
      return c.json({
        value: page.records.map((view) => resourceOf(c, view)),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    },

    get: async (c, endpoint, job) => answer(c, await find(c, endpoint, job), 200),
  };
}

const jobUrl = (deps: RouteDeps, c: ApiContext, { spec }: AnyJobView): string =>
  `${deps.baseUrl(c.req.raw)}/endpoints/${spec.endpoint}/jobs/${spec.name}`;

function requestIdOf(c: ApiContext): string | undefined {
  const given = REQUEST_ID_HEADERS.map((name) => c.req.header(name)?.trim()).filter((id) => id !== undefined);
  if (new Set(given).size > 1) throw badRequest(`Give one request id: ${REQUEST_ID_HEADERS.join(', ')} differ.`);
  return given[0];
}

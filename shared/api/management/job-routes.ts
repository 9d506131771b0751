import { Hono } from 'hono';
import { ApiError } from '../../domain/errors.ts';
import { isJobName } from '../../domain/management-names.ts';
import { changeJob, JobBody } from '../../steps/edit-job.ts';
import type { ListView } from '../../steps/asset-lists.ts';
import { listJobs, viewAnyJob, type ListedJobView } from '../../steps/any-job.ts';
import { publicUrl, type ApiContext, type ApiEnv, type RouteDeps } from '../context.ts';
import { nextLink, PAGE_OF_JOBS, pageRequest, query } from '../paging.ts';
import { readBody } from '../request-body.ts';
import { isChildRun, jobOf, jobPageUrl, runOf } from '../run-lookup.ts';
import { jobTags } from '../scoring/job-resource.ts';
import { childJobResource, JOB_TYPE, workspaceJobResource } from './job-resource.ts';
import { hasTag, listView } from './list-query.ts';
import { operationUrl, POLL_SECONDS } from './operations.ts';
import { pipelineJobResource, pipelineTags } from './pipeline-resource.ts';

/** `jobs` of a workspace (contract 3.5). */
export function jobRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const resource = (c: ApiContext, view: ListedJobView) => {
    const around = { workspace: deps.workspace, page: jobPageUrl(deps, c.req.raw, view.spec.name) };
    return view.kind === 'scoring' ? workspaceJobResource(view, around) : pipelineJobResource(view, around);
  };

  return new Hono<ApiEnv>()
    .get('/', async (c) => {
      const url = publicUrl(deps, c.req.raw);
      const filter = listFilter(url);
      const scope = JSON.stringify(['jobs', filter]);
      const { limit, continuation } = await pageRequest(url, scope, deps.ids, PAGE_OF_JOBS);
      const archived = { ActiveOnly: false, ArchivedOnly: true, All: undefined }[filter.view];
      const page = await listJobs(deps, archived === undefined ? {} : { archived }, limit, continuation);
      return c.json({
        value: page.views.filter((view) => fits(view, filter)).map((view) => resource(c, view)),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    })
    .get('/:job', async (c) => {
      const run = await runOf(deps, c.req.param('job'));
      return c.json(isChildRun(run) ? childJobResource(deps.workspace, run.runId, run.view) : resource(c, run.view));
    })
    .put('/:job', async (c) => {
      const { properties } = await readBody(c.req.raw, JobBody);
      const name = c.req.param('job').toLowerCase();
      const view = isJobName(name) ? await viewAnyJob(deps, name) : undefined;
      if (!view) throw new ApiError(501, 'NotImplemented', NO_NEW_JOBS);
      const { isArchived, ...change } = properties;
      await changeJob(deps, view, { ...change, hidden: isArchived });
      return c.json(resource(c, await jobOf(deps, name)));
    })
    .delete('/:job', async (c) => {
      const { spec } = await jobOf(deps, c.req.param('job'));
      throw new ApiError(405, 'MethodNotAllowed', `${KEPT} Archive job '${spec.name}' instead.`);
    })
    .post('/:job/cancel', async (c) => {
      const { spec } = await jobOf(deps, c.req.param('job'));
      await deps.cancelJob(spec.name);
      const id = `jc:${deps.workspace.workspaceId}:${spec.name}`;
      return Response.json(null, {
        status: 202,
        headers: { Location: operationUrl(deps, c, 'mfeOperationResults', id), 'Retry-After': POLL_SECONDS },
      });
    });
}

const NO_NEW_JOBS =
  'Jobs that are submitted directly (pipelines, commands) are not supported yet. Invoke a batch endpoint to make a job.';

/** Azure ML has the operation; here what a job says of its output would be lost. */
const KEPT = 'Jobs are not deleted: their records and receipts tell where each output came from.';

interface ListFilter {
  readonly view: ListView;
  readonly jobType: string | undefined;
  readonly tag: string | undefined;
}

const listFilter = (url: URL): ListFilter => ({
  view: listView(url),
  jobType: query(url, ['jobtype']),
  tag: query(url, ['tag']),
});

/** A page from which jobs are left out is shorter than was asked for. */
const fits = (view: ListedJobView, { jobType, tag }: ListFilter): boolean =>
  (jobType === undefined || jobType.toLowerCase() === JOB_TYPE.toLowerCase()) &&
  (tag === undefined || hasTag({ tags: view.kind === 'scoring' ? jobTags(view) : pipelineTags(view) }, tag));

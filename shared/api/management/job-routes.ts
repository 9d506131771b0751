import { Hono } from 'hono';
import { z } from 'zod';
import { checked } from '../../domain/checked.ts';
import { ApiError, conflict } from '../../domain/errors.ts';
import { changeJob, JobBody } from '../../steps/edit-job.ts';
import type { ListView } from '../../steps/asset-lists.ts';
import type { ListedJobView } from '../../steps/any-job.ts';
import { JOB_BODIES } from '../../domain/pipeline/job-body.ts';
import { putJob } from '../../steps/pipeline/put-job.ts';
import { jobCaller, publicUrl, type ApiContext, type ApiEnv, type RouteDeps } from '../context.ts';
import { jsonBody } from '../json-body.ts';
import { nextLink, PAGE_OF_JOBS, pageRequest, query } from '../paging.ts';
import { listReadable } from '../readable-jobs.ts';
import { findRun, isChildRun, jobOf, jobPageUrl, runOf } from '../run-lookup.ts';
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
      const page = await listReadable(c, deps, archived === undefined ? {} : { archived }, limit, continuation);
      return c.json({
        value: page.records.filter((view) => fits(view, filter)).map((view) => resource(c, view)),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    })
    .get('/:job', async (c) => {
      const run = await runOf(deps, c, c.req.param('job'));
      return c.json(isChildRun(run) ? childJobResource(deps.workspace, run.runId, run.view) : resource(c, run.view));
    })
    .put('/:job', jsonBody(z.record(z.string(), z.unknown()), { later: [...JOB_BODIES, JobBody] }), async (c) => {
      const body = c.req.valid('json');
      const written = c.req.param('job');
      const run = await findRun(deps, c, written);
      if (!run) {
        const { name, created } = await putJob(deps, written, body, jobCaller(c, deps));
        return c.json(resource(c, await jobOf(deps, c, name)), created ? 201 : 200);
      }
      if (isChildRun(run)) throw conflict(`'${run.runId}' is the child run of job '${run.view.spec.name}'.`);
      const { isArchived, ...change } = checked(JobBody, body).properties;
      await changeJob(deps, run.view, { ...change, hidden: isArchived });
      return c.json(resource(c, await jobOf(deps, c, run.runId)));
    })
    .delete('/:job', async (c) => {
      const { spec } = await jobOf(deps, c, c.req.param('job'));
      throw new ApiError(405, 'MethodNotAllowed', `${KEPT} Archive job '${spec.name}' instead.`);
    })
    .post('/:job/cancel', async (c) => {
      const { spec } = await jobOf(deps, c, c.req.param('job'));
      await deps.cancelJob(spec.name);
      const id = `jc:${deps.workspace.workspaceId}:${spec.name}`;
      return Response.json(null, {
        status: 202,
        headers: { Location: operationUrl(deps, c, 'mfeOperationResults', id), 'Retry-After': POLL_SECONDS },
      });
    });
}

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

const jobTypeOf = ({ kind, spec }: ListedJobView): string =>
  kind === 'pipeline' && spec.sent['jobType'] === 'Command' ? 'Command' : JOB_TYPE;

/** A page from which jobs are left out is shorter than was asked for. */
const fits = (view: ListedJobView, { jobType, tag }: ListFilter): boolean =>
  (jobType === undefined || jobType.toLowerCase() === jobTypeOf(view).toLowerCase()) &&
  (tag === undefined || hasTag({ tags: view.kind === 'scoring' ? jobTags(view) : pipelineTags(view) }, tag));

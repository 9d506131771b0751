import { Hono } from 'hono';
import { notFound } from '../../domain/errors.ts';
import type { AnyJobView } from '../../steps/any-job.ts';
import { checkSalvage } from '../../steps/job-places.ts';
import { jobCaller, type ApiContext, type ApiEnv, type RouteDeps } from '../context.ts';
import { lastSegments } from '../route-path.ts';
import { batchJobs, invocationBody } from './batch-jobs.ts';

/** The scoring plane below `/endpoints` (contract 1). */
export function scoringRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const jobs = batchJobs(deps);

  /** Azure ML knows the first; what a stopped job has finished is thrown away there. */
  const actions: Readonly<Record<string, (view: AnyJobView, c: ApiContext) => Promise<AnyJobView>>> = {
    cancel: ({ spec }) => deps.cancelJob(spec.name),
    async salvage({ kind, spec }, c) {
      if (kind === 'scoring') await checkSalvage(deps, spec, jobCaller(c, deps));
      return deps.salvageJob(spec.name);
    },
  };

  return new Hono<ApiEnv>()
    .post('/:endpoint/jobs', invocationBody(), (c) => jobs.invoke(c, c.req.valid('json'), c.req.param('endpoint')))
    .get('/:endpoint/jobs', (c) => jobs.list(c, c.req.param('endpoint'), c.req.query('deployment')))
    .get('/:endpoint/jobs/*', (c) =>
      // Data Factory templates append the job's whole ARM id (contract 2): only the last segment counts.
      jobs.get(c, c.req.param('endpoint'), lastSegments(c.req.raw).last),
    )
    .post('/:endpoint/jobs/*', async (c) => {
      const { last, before } = lastSegments(c.req.raw);
      const act = Object.hasOwn(actions, last.toLowerCase()) ? actions[last.toLowerCase()] : undefined;
      if (!act) throw notFound('The only things to POST to a job are /cancel and /salvage.');
      const view = await jobs.find(c, c.req.param('endpoint'), before);
      return jobs.answer(c, await act(view, c), 200);
    });
}

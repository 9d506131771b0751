import { Hono } from 'hono';
import { z } from 'zod';
import { caselessObject } from '../../domain/caseless.ts';
import { CHILD_LOG, PARENT_LOG } from '../../domain/log-files.ts';
import { changeJob, RunChange } from '../../steps/edit-job.ts';
import type { ApiContext, ApiEnv, RouteDeps } from '../context.ts';
import { signedLogUrl } from '../logs/signed-log-url.ts';
import { readBody } from '../request-body.ts';
import { childRun, jobOf, jobPageUrl, parentRun, runOf, type FoundRun } from '../run-lookup.ts';
import { thisSubscription, thisWorkspace, WORKSPACE_PATH } from '../this-workspace.ts';
import { runDetails, runResource, type RunSurroundings } from './run-resource.ts';

const RunDataRequest = caselessObject({ runId: z.string().min(1) });

/** The run history below `/history/v1.0/subscriptions` (contract 4), as far as the clients of batch endpoints use it. */
export function historyRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const around = (c: ApiContext, run: FoundRun): RunSurroundings => ({
    workspace: deps.workspace,
    page: jobPageUrl(deps, c.req.raw, run.view.spec.name),
  });

  /** The log is signed for the job: parent and child show the same. A job that was not planned yet has printed nothing. */
  const logFiles = async (c: ApiContext, { view, isChild }: FoundRun): Promise<Record<string, string>> => {
    const file = isChild ? CHILD_LOG : PARENT_LOG;
    const at = { baseUrl: deps.baseUrl(c.req.raw), job: view.spec.name, file, now: deps.clock.now() };
    return { [file]: await signedLogUrl(deps.ids, at) };
  };

  const change = async (c: ApiContext, runId: string): Promise<Response> => {
    const view = await jobOf(deps, runId);
    await changeJob(deps, view, await readBody(c.req.raw, RunChange));
    const run = parentRun(await jobOf(deps, runId));
    return c.json(runResource(run, around(c, run)));
  };

  const run = `${WORKSPACE_PATH}/runs/:run`;
  return (
    new Hono<ApiEnv>()
      .use('/:subscription/*', thisSubscription(deps))
      .use(`${WORKSPACE_PATH}/*`, thisWorkspace(deps))
      .get(run, async (c) => {
        const found = await runOf(deps, c.req.param('run'));
        return c.json(runResource(found, around(c, found)));
      })
      .patch(run, (c) => change(c, c.req.param('run')))
      .patch(`${WORKSPACE_PATH}/experiments/:experiment/runs/:run`, (c) => change(c, c.req.param('run')))
      .get(`${run}/details`, async (c) => {
        const found = await runOf(deps, c.req.param('run'));
        return c.json(runDetails(found, around(c, found), await logFiles(c, found)));
      })
      .get(`${run}/children`, async (c) => {
        const { view, isChild } = await runOf(deps, c.req.param('run'));
        const children = isChild ? [] : [childRun(view)];
        return c.json({
          value: children.map((child) => runResource(child, around(c, child))),
          continuationToken: null,
          nextLink: null,
        });
      })
      // Jobs here have no nodes that a client could log in to.
      .get(`${run}/serviceinstances/:node`, async (c) => {
        await runOf(deps, c.req.param('run'));
        return c.json({ instances: {} });
      })
      .post(`${WORKSPACE_PATH}/rundata`, async (c) => {
        const { runId } = await readBody(c.req.raw, RunDataRequest);
        const found = await runOf(deps, runId);
        return c.json({
          runMetadata: runResource(found, around(c, found)),
          runDefinition: null,
          jobSpecification: null,
        });
      })
  );
}

import { Hono } from 'hono';
import { z } from 'zod';
import { caselessObject } from '../../domain/caseless.ts';
import { CHILD_LOG, PARENT_LOG } from '../../domain/log-files.ts';
import { changeJob, RunChange } from '../../steps/edit-job.ts';
import type { ApiContext, ApiEnv, RouteDeps } from '../context.ts';
import { jsonBody } from '../json-body.ts';
import { signedLogUrl } from '../logs/signed-log-url.ts';
import { childRuns, isChildRun, jobOf, jobPageUrl, parentRun, runOf, type FoundRun } from '../run-lookup.ts';
import { thisSubscription, thisWorkspace, WORKSPACE_PATH } from '../this-workspace.ts';
import { runDetails, runResource, type RunSurroundings } from './run-resource.ts';

const RunDataRequest = caselessObject({ runId: z.string().min(1) });

/** The run history below `/history/v1.0/subscriptions` (contract 4), as far as the clients of batch endpoints use it. */
export function historyRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const around = (c: ApiContext, run: FoundRun): RunSurroundings => ({
    workspace: deps.workspace,
    page: jobPageUrl(deps, c.req.raw, run.view.spec.name),
  });

  /**
   * A scoring job's log is its child's too; a pipeline's steps have logs of their own. What has not begun has printed nothing.
   */
  const logFiles = async (c: ApiContext, run: FoundRun): Promise<Record<string, string>> => {
    const file = isChildRun(run) ? CHILD_LOG : PARENT_LOG;
    const job = run.kind === 'scoring' ? run.view.spec.name : run.runId;
    const at = { baseUrl: deps.baseUrl(c.req.raw), job, file, now: deps.clock.now() };
    return { [file]: await signedLogUrl(deps.ids, at) };
  };

  const change = async (c: ApiContext, runId: string, asked: RunChange): Promise<Response> => {
    await changeJob(deps, await jobOf(deps, c, runId), asked);
    const run = parentRun(await jobOf(deps, c, runId));
    return c.json(runResource(run, around(c, run)));
  };

  const run = `${WORKSPACE_PATH}/runs/:run`;
  return (
    new Hono<ApiEnv>()
      .use('/:subscription/*', thisSubscription(deps))
      .use(`${WORKSPACE_PATH}/*`, thisWorkspace(deps))
      .get(run, async (c) => {
        const found = await runOf(deps, c, c.req.param('run'));
        return c.json(runResource(found, around(c, found)));
      })
      .patch(run, jsonBody(RunChange), (c) => change(c, c.req.param('run'), c.req.valid('json')))
      .patch(`${WORKSPACE_PATH}/experiments/:experiment/runs/:run`, jsonBody(RunChange), (c) =>
        change(c, c.req.param('run'), c.req.valid('json')),
      )
      .get(`${run}/details`, async (c) => {
        const found = await runOf(deps, c, c.req.param('run'));
        return c.json(runDetails(found, around(c, found), await logFiles(c, found)));
      })
      .get(`${run}/children`, async (c) => {
        const children = childRuns(await runOf(deps, c, c.req.param('run')));
        return c.json({
          value: children.map((child) => runResource(child, around(c, child))),
          continuationToken: null,
          nextLink: null,
        });
      })
      // Jobs here have no nodes that a client could log in to.
      .get(`${run}/serviceinstances/:node`, async (c) => {
        await runOf(deps, c, c.req.param('run'));
        return c.json({ instances: {} });
      })
      .post(`${WORKSPACE_PATH}/rundata`, jsonBody(RunDataRequest), async (c) => {
        const { runId } = c.req.valid('json');
        const found = await runOf(deps, c, runId);
        return c.json({
          runMetadata: runResource(found, around(c, found)),
          runDefinition: null,
          jobSpecification: null,
        });
      })
  );
}

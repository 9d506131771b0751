import { Hono } from 'hono';
import { notFound } from '../../domain/errors.ts';
import { isJobName } from '../../domain/management-names.ts';
import { isOver, viewAnyJob } from '../../steps/any-job.ts';
import { publicUrl, type ApiContext, type ApiEnv, type RouteDeps } from '../context.ts';
import { readable } from '../readable-jobs.ts';
import { PROVIDER } from '../resource-ids.ts';

/** What an operation was about: a batch endpoint, a batch deployment, or the cancellation of a job. */
export type OperationKind = 'be' | 'bd';

export const POLL_SECONDS = '1';

/** `be:<workspaceId>:<guid>` of the change at `at` (ISO 8601). */
const operationId = (deps: RouteDeps, kind: OperationKind, at: string): Promise<string> =>
  deps.ids.operation(kind, deps.workspace.workspaceId, Date.parse(at));

export function operationUrl(deps: RouteDeps, c: ApiContext, route: string, id: string): string {
  const { subscriptionId, location } = deps.workspace;
  const version = c.req.query('api-version');
  const query = version === undefined ? '' : `?api-version=${encodeURIComponent(version)}`;
  return `${deps.baseUrl(c.req.raw)}/subscriptions/${subscriptionId}/providers/${PROVIDER}/locations/${location}/${route}/${id}${query}`;
}

/** Where the state of a change can be asked for (contract 3.3). */
export const statusUrl = async (deps: RouteDeps, c: ApiContext, kind: OperationKind, at: string): Promise<string> =>
  operationUrl(deps, c, 'mfeOperationsStatus', await operationId(deps, kind, at));

/** Headers of an accepted PUT or DELETE. Everything is done when they are sent; clients poll once. */
export async function operationHeaders(
  deps: RouteDeps,
  c: ApiContext,
  kind: OperationKind,
  at: string,
  location?: string,
): Promise<Record<string, string>> {
  return {
    'Azure-AsyncOperation': await statusUrl(deps, c, kind, at),
    Location: location ?? operationUrl(deps, c, 'mfeOperationResults', await operationId(deps, kind, at)),
    'x-ms-async-operation-timeout': 'PT30M',
    'Retry-After': POLL_SECONDS,
  };
}

/** The operation routes of a subscription's location. */
export function operationRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const unknown = () => notFound('There is no operation of this id.');

  return new Hono<ApiEnv>()
    .get('/mfeoperationsstatus/:id', async (c) => {
      const name = c.req.param('id');
      const at = await deps.ids.operationTime(name);
      if (at === undefined) throw unknown();
      const time = new Date(at).toISOString();
      const id = new URL(operationUrl(deps, c, 'mfeOperationsStatus', name)).pathname;
      return c.json({ id, name, status: 'Succeeded', startTime: time, endTime: time, percentComplete: 100 });
    })
    .get('/mfeoperationresults/:id', async (c) => {
      const id = c.req.param('id');
      const prefix = `jc:${deps.workspace.workspaceId}:`;
      if (!id.startsWith(prefix)) {
        if ((await deps.ids.operationTime(id)) === undefined) throw unknown();
        return new Response(null, { status: 200 });
      }
      const job = id.slice(prefix.length).toLowerCase();
      const view = isJobName(job) ? readable(c, await viewAnyJob(deps, job)) : undefined;
      if (!view) throw unknown();
      if (isOver(view)) return new Response(null, { status: 200 });
      return Response.json(
        {},
        { status: 202, headers: { Location: publicUrl(deps, c.req.raw).href, 'Retry-After': POLL_SECONDS } },
      );
    });
}

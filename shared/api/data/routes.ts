import { Hono } from 'hono';
import { z } from 'zod';
import { caselessObject } from '../../domain/caseless.ts';
import { ApiError, notFound } from '../../domain/errors.ts';
import type { ApiContext, ApiEnv, RouteDeps } from '../context.ts';
import { jsonBody } from '../json-body.ts';
import { runOf } from '../run-lookup.ts';
import { thisSubscription, thisWorkspace, WORKSPACE_PATH } from '../this-workspace.ts';
import { parseOutputAssetId, runOutputs } from './run-outputs.ts';

/** More than a client asks for at once: a job has one output. */
const MAX_IDS = 100;

const ResolveRequest = caselessObject({ values: z.array(z.string().max(1024)).max(MAX_IDS) });

/** The data plane below `/data/v1.0/subscriptions` (contract 4): where the data behind an asset's id lies. */
export function dataRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const { subscriptionId, resourceGroup, workspace } = deps.workspace;
  /** The long form, which the client takes the datastore and the path from. */
  const longUri = (short: string): string =>
    short.replace(
      /^azureml:\/\//,
      `azureml://subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}/workspaces/${workspace}/`,
    );

  const resolve = async (c: ApiContext, id: string): Promise<{ uri: string; type: string }> => {
    const asked = parseOutputAssetId(id);
    const outputs = asked ? runOutputs(await runOf(deps, c, asked.runId)) : [];
    const found = outputs.find(({ name }) => name === asked?.output);
    if (!found) throw notFound(`There is no data asset '${id.slice(0, 200)}'.`);
    return { uri: longUri(found.uri), type: found.type };
  };

  return new Hono<ApiEnv>()
    .use('/:subscription/*', thisSubscription(deps))
    .use(`${WORKSPACE_PATH}/*`, thisWorkspace(deps))
    .post(`${WORKSPACE_PATH}/dataversion/:operation`, jsonBody(ResolveRequest), async (c) => {
      if (c.req.param('operation').toLowerCase() !== 'batchgetresolveduris')
        throw new ApiError(404, 'NotFound', 'The only operation of dataversion here is batchGetResolvedUris.');
      const { values } = c.req.valid('json');
      const resolved = await Promise.all(values.map(async (id) => [id, await resolve(c, id)] as const));
      return c.json({ values: Object.fromEntries(resolved) });
    });
}

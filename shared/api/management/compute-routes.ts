import { Hono } from 'hono';
import type { ComputeRecord } from '../../domain/resources.ts';
import type { WorkspaceAddress } from '../../domain/uri.ts';
import { ComputeBody, ComputePatch } from '../../domain/workspace-bodies.ts';
import { computeOf, deleteCompute, listComputes, patchCompute, putCompute } from '../../steps/computes.ts';
import { authorOf, etagHeader, publicUrl, type ApiEnv, type RouteDeps } from '../context.ts';
import { jsonBody } from '../json-body.ts';
import { nextLink, pageRequest } from '../paging.ts';
import { PROVIDER, systemData, workspaceIdOf } from '../resource-ids.ts';

/** `computes` of a workspace (contract 3.5). Everything is done when it is answered: clients need not poll. */
export function computeRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const { workspace } = deps;
  const scope = 'computes';

  return new Hono<ApiEnv>()
    .get('/', async (c) => {
      const url = publicUrl(deps, c.req.raw);
      const { limit, continuation } = await pageRequest(url, scope, deps.ids);
      const page = await listComputes(deps, limit, continuation);
      return c.json({
        value: page.records.map((record) => computeResource(workspace, record)),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    })
    .get('/:name', async (c) => {
      const record = await computeOf(deps, c.req.param('name'));
      return c.json(computeResource(workspace, record), 200, etagHeader(record));
    })
    .put('/:name', jsonBody(ComputeBody), async (c) => {
      const body = c.req.valid('json');
      const { record, created } = await putCompute(deps, c.req.param('name'), body, authorOf(c));
      return c.json(computeResource(workspace, record), created ? 201 : 200, etagHeader(record));
    })
    .patch('/:name', jsonBody(ComputePatch), async (c) => {
      const body = c.req.valid('json');
      const record = await patchCompute(deps, c.req.param('name'), body, authorOf(c));
      return c.json(computeResource(workspace, record), 200, etagHeader(record));
    })
    .delete('/:name', async (c) =>
      c.body(null, (await deleteCompute(deps, c.req.param('name'), authorOf(c))) ? 200 : 204),
    )
    .post('/:name/listnodes', async (c) => {
      await computeOf(deps, c.req.param('name'));
      return c.json({ nodes: [], nextLink: null });
    });
}

/** A cluster as Azure ML shows it; it never has nodes of its own. */
export const computeResource = (at: WorkspaceAddress, record: ComputeRecord) => ({
  id: `${workspaceIdOf(at)}/computes/${record.name}`,
  name: record.name,
  type: `${PROVIDER}/workspaces/computes`,
  location: record.location,
  tags: record.tags,
  identity: null,
  properties: {
    computeType: 'AmlCompute',
    computeLocation: record.location,
    provisioningState: 'Succeeded',
    provisioningErrors: null,
    description: record.description,
    createdOn: record.createdAt,
    modifiedOn: record.modifiedAt,
    resourceId: null,
    isAttachedCompute: false,
    disableLocalAuth: record.disableLocalAuth,
    properties: {
      ...record.cluster,
      scaleSettings: record.scale,
      allocationState: 'Steady',
      allocationStateTransitionTime: record.modifiedAt,
      currentNodeCount: 0,
      targetNodeCount: 0,
      nodeStateCounts: {
        idleNodeCount: 0,
        runningNodeCount: 0,
        preparingNodeCount: 0,
        unusableNodeCount: 0,
        leavingNodeCount: 0,
        preemptedNodeCount: 0,
      },
      errors: null,
      userAccountCredentials: null,
    },
  },
  systemData: systemData(record),
});

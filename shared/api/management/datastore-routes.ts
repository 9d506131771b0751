import { Hono } from 'hono';
import type { WorkspaceAddress } from '../../domain/uri.ts';
import { DatastoreBody } from '../../domain/workspace-bodies.ts';
import {
  accessFor,
  datastoreOf,
  deleteDatastore,
  listDatastores,
  putDatastore,
  type NotedDatastore,
} from '../../steps/datastores.ts';
import { authorOf, etagHeader, type ApiContext, type ApiEnv, type RouteDeps } from '../context.ts';
import { readBody } from '../request-body.ts';
import { PROVIDER, systemData, workspaceIdOf } from '../resource-ids.ts';

/** `datastores` of a workspace (contract 3.5). */
export function datastoreRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const { workspace } = deps;
  const answer = (c: ApiContext, one: NotedDatastore): Response =>
    c.json(datastoreResource(workspace, one), 200, one.note && etagHeader(one.note));

  return new Hono<ApiEnv>()
    .get('/', async (c) => {
      const onlyDefault = c.req.query('isDefault')?.toLowerCase() === 'true';
      const found = await listDatastores(deps);
      const shown = found.filter(({ isDefault }) => isDefault || !onlyDefault);
      return c.json({ value: shown.map((one) => datastoreResource(workspace, one)), nextLink: null });
    })
    .get('/:name', async (c) => answer(c, await datastoreOf(deps, c.req.param('name'))))
    .put('/:name', async (c) => {
      const body = await readBody(c.req.raw, DatastoreBody);
      return answer(c, await putDatastore(deps, c.req.param('name'), body, authorOf(c)));
    })
    .delete('/:name', (c) => {
      deleteDatastore(deps, c.req.param('name'));
      return c.body(null, 204);
    })
    .post('/:name/listsecrets', async (c) => {
      const { store } = await datastoreOf(deps, c.req.param('name'));
      const { publicKey, sasToken } = accessFor(deps, store, 'datastores/listSecrets', c.var.principal.subject);
      return c.json(
        publicKey === undefined ? { secretsType: 'Sas', sasToken } : { secretsType: 'AccountKey', key: publicKey },
        200,
        { 'Cache-Control': 'no-store' },
      );
    });
}

/** A datastore as Azure ML shows it. */
export function datastoreResource(at: WorkspaceAddress, { store, isDefault, note }: NotedDatastore) {
  const { name, account, container, endpoint } = store.address;
  const { protocol, host } = new URL(endpoint);
  const kind = store.access === undefined ? 'None' : store.access.publicKey === undefined ? 'Sas' : 'AccountKey';
  return {
    id: `${workspaceIdOf(at)}/datastores/${name}`,
    name,
    type: `${PROVIDER}/workspaces/datastores`,
    properties: {
      description: note?.description ?? null,
      tags: note?.tags ?? {},
      properties: note?.properties ?? {},
      isDefault,
      datastoreType: 'AzureBlob',
      accountName: account,
      containerName: container,
      endpoint: host.replace(`${account}.blob.`, ''),
      protocol: protocol.replace(':', ''),
      credentials: { credentialsType: kind },
      serviceDataAccessAuthIdentity: 'None',
      subscriptionId: at.subscriptionId,
      resourceGroup: at.resourceGroup,
    },
    systemData: note ? systemData(note) : null,
  };
}

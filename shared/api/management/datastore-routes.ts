import { Hono } from 'hono';
import type { WorkspaceAddress } from '../../domain/uri.ts';
import { DatastoreBody, ListSecretsBody } from '../../domain/workspace-bodies.ts';
import {
  accessFor,
  datastoreOf,
  deleteDatastore,
  listDatastores,
  putDatastore,
  type NotedDatastore,
} from '../../steps/datastores.ts';
import { authorOf, etagHeader, type ApiContext, type ApiEnv, type RouteDeps } from '../context.ts';
import { jsonBody } from '../json-body.ts';
import { PROVIDER, systemData, workspaceIdOf } from '../resource-ids.ts';

/** The REST samples send none. */
const listSecretsBody = jsonBody<typeof ListSecretsBody, '/:name/listsecrets'>(ListSecretsBody, { isOptional: true });

/** `datastores` of a workspace (contract 3.5). */
export function datastoreRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const { workspace } = deps;
  const answer = (c: ApiContext, one: NotedDatastore, status: 200 | 201 = 200): Response =>
    c.json(datastoreResource(workspace, one), status, one.note && etagHeader(one.note));

  return new Hono<ApiEnv>()
    .get('/', async (c) => {
      const onlyDefault = c.req.query('isDefault')?.toLowerCase() === 'true';
      const found = await listDatastores(deps);
      const shown = found.filter(({ isDefault }) => isDefault || !onlyDefault);
      return c.json({ value: shown.map((one) => datastoreResource(workspace, one)), nextLink: null });
    })
    .get('/:name', async (c) => answer(c, await datastoreOf(deps, c.req.param('name'))))
    .put('/:name', jsonBody(DatastoreBody), async (c) => {
      const put = await putDatastore(deps, c.req.param('name'), c.req.valid('json'), authorOf(c));
      return answer(c, put, put.created ? 201 : 200);
    })
    .delete('/:name', async (c) => {
      const removed = await deleteDatastore(deps, c.req.param('name'), authorOf(c));
      return c.body(null, removed ? 200 : 204);
    })
    .post('/:name/listsecrets', listSecretsBody, async (c) => {
      const { store } = await datastoreOf(deps, c.req.param('name'));
      const { expirableSecret } = c.req.valid('json');
      const { publicKey, sasToken } = await accessFor(deps, store, 'datastores/listSecrets', c.var.principal.subject);
      const secrets =
        expirableSecret || publicKey === undefined
          ? { secretsType: 'Sas', sasToken }
          : { secretsType: 'AccountKey', key: publicKey };
      return c.json(secrets);
    });
}

/** A datastore as Azure ML shows it. */
export function datastoreResource(at: WorkspaceAddress, { store, isDefault, note }: NotedDatastore) {
  const { name, account, container, endpoint } = store.address;
  const { protocol, host } = new URL(endpoint);
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
      // An account that has a key says so, whatever listSecrets gives out: Azure ML's does, and clients expect it.
      credentials: { credentialsType: store.access?.credentialsType ?? 'None' },
      serviceDataAccessAuthIdentity: 'None',
      subscriptionId: at.subscriptionId,
      resourceGroup: at.resourceGroup,
    },
    systemData: note ? systemData(note) : null,
  };
}

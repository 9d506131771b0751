import { Hono } from 'hono';
import { AssetContainerBody, PendingUploadBody } from '../../domain/asset-bodies.ts';
import type { AssetRecord } from '../../domain/resources.ts';
import { checkAssetName, containerOf, listContainers, putContainer } from '../../steps/asset-containers.ts';
import { hashKey, type AssetKind } from '../../steps/asset-kinds.ts';
import { listVersions } from '../../steps/asset-lists.ts';
import { deleteContainer, deleteVersion } from '../../steps/asset-removal.ts';
import { putVersion, versionOf } from '../../steps/asset-versions.ts';
import { startPendingUpload } from '../../steps/pending-upload.ts';
import { authorOf, etagHeader, publicUrl, type ApiEnv, type RouteDeps } from '../context.ts';
import { jsonBody } from '../json-body.ts';
import { nextLink, pageRequest } from '../paging.ts';
import { containerResource, versionResource } from './asset-resource.ts';
import { listView, versionQuery } from './list-query.ts';

/** `{kind}`, `{kind}/{name}` and `{kind}/{name}/versions/{version}` of a workspace (contract 3.5). */
export function assetRoutes<R extends AssetRecord>(deps: RouteDeps, kind: AssetKind<R>): Hono<ApiEnv> {
  const { workspace } = deps;
  const version = '/:name/versions/:version';

  return new Hono<ApiEnv>()
    .get('/', async (c) => {
      const url = publicUrl(deps, c.req.raw);
      const view = listView(url);
      const scope = `${kind.kind}|${view}`;
      const { limit, continuation } = await pageRequest(url, scope, deps.ids);
      const page = await listContainers(deps, kind, view, limit, continuation);
      return c.json({
        value: page.records.map((container) => containerResource(workspace, kind, container)),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    })
    .get('/:name', async (c) => {
      const container = await containerOf(deps, kind, c.req.param('name'));
      return c.json(containerResource(workspace, kind, container), 200, etagHeader(container.record));
    })
    .put('/:name', jsonBody(AssetContainerBody), async (c) => {
      const body = c.req.valid('json');
      const { container, created } = await putContainer(deps, kind, c.req.param('name'), body, authorOf(c));
      return c.json(containerResource(workspace, kind, container), created ? 201 : 200, etagHeader(container.record));
    })
    .delete('/:name', async (c) => {
      const removed = await deleteContainer(deps, kind, c.req.param('name'), authorOf(c));
      return c.body(null, removed ? 200 : 204);
    })
    .get('/:name/versions', async (c) => {
      const name = c.req.param('name');
      const url = publicUrl(deps, c.req.raw);
      const { order, keep, key, hash } = versionQuery(url);
      const under = hash === undefined ? name : hashKey(hash);
      const scope = `${kind.kind}|${under.toLowerCase()}|${key}`;
      const { limit, continuation } = await pageRequest(url, scope, deps.ids);
      const page = await listVersions(deps, kind, under, order, keep, limit, continuation);
      return c.json({
        value: page.records.map((record) => versionResource(workspace, kind, record)),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    })
    .get(version, async (c) => {
      const { name, version } = c.req.param();
      const record = await versionOf(deps, kind, name, version);
      return c.json(versionResource(workspace, kind, record), 200, etagHeader(record));
    })
    .put(version, jsonBody(kind.body), async (c) => {
      const { name, version } = c.req.param();
      const body = c.req.valid('json');
      const { record, created } = await putVersion(deps, kind, name, version, body, authorOf(c));
      return c.json(versionResource(workspace, kind, record), created ? 201 : 200, etagHeader(record));
    })
    .delete(version, async (c) => {
      const { name, version } = c.req.param();
      return c.body(null, (await deleteVersion(deps, kind, name, version, authorOf(c))) ? 200 : 204);
    })
    .post(`${version}/startpendingupload`, jsonBody(PendingUploadBody), async (c) => {
      const { pendingUploadType } = c.req.valid('json');
      checkAssetName(kind, c.req.param('name'));
      const upload = await startPendingUpload(deps, c.var.principal.subject);
      return c.json({
        pendingUploadId: upload.id,
        pendingUploadType,
        blobReferenceForConsumption: {
          blobUri: upload.blobUri,
          storageAccountArmId: null,
          credential: { credentialType: 'SAS', sasUri: upload.sasUri },
        },
      });
    });
}

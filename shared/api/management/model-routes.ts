import { Hono } from 'hono';
import { ModelBody } from '../../domain/management.ts';
import type { ModelRecord } from '../../domain/resources.ts';
import { latestVersion, nextVersion, registerModel } from '../../steps/register-model.ts';
import { publicUrl, type ApiEnv, type RouteDeps } from '../context.ts';
import { nextLink, pageRequest } from '../paging.ts';
import { readBody } from '../request-body.ts';
import { modelId, modelVersionId, PROVIDER, resourceNotFound, systemData } from '../resource-ids.ts';

/** `models` of a workspace (contract 3.5). */
export function modelRoutes(deps: RouteDeps): Hono<ApiEnv> {
  const container = async (name: string): Promise<ModelRecord> => {
    const latest = await latestVersion(deps, name);
    if (!latest) throw resourceNotFound(`Model '${name.slice(0, 80)}'`);
    return latest;
  };

  return new Hono<ApiEnv>()
    .get('/:model', async (c) => {
      const latest = await container(c.req.param('model'));
      return c.json({
        id: modelId(deps.workspace, latest.name),
        name: latest.name,
        type: `${PROVIDER}/workspaces/models`,
        properties: {
          description: null,
          tags: {},
          properties: {},
          isArchived: false,
          latestVersion: latest.version,
          nextVersion: await nextVersion(deps, latest.name),
          provisioningState: 'Succeeded',
        },
        systemData: systemData(latest),
      });
    })
    .get('/:model/versions', async (c) => {
      const { name } = await container(c.req.param('model'));
      const scope = `models|${name.toLowerCase()}`;
      const url = publicUrl(deps, c.req.raw);
      const { limit, continuation } = await pageRequest(url, scope, deps.ids);
      const page = await deps.registry.models.list([name], limit, continuation);
      return c.json({
        value: page.records.map((record) => modelResource(deps, record)),
        nextLink: await nextLink(url, scope, page.continuation, deps.ids),
      });
    })
    .get('/:model/versions/:version', async (c) => {
      const { model, version } = c.req.param();
      const found = await deps.registry.models.get(model, version);
      if (!found) throw resourceNotFound(`Model '${model.slice(0, 80)}' version '${version.slice(0, 80)}'`);
      return c.json(modelResource(deps, found.value));
    })
    .put('/:model/versions/:version', async (c) => {
      const body = await readBody(c.req.raw, ModelBody);
      const { model, version } = c.req.param();
      const { record, created } = await registerModel(deps, model, version, body, c.var.principal.subject);
      return c.json(modelResource(deps, record), created ? 201 : 200);
    });
}

/** A model version as Azure ML shows it. */
function modelResource({ workspace }: RouteDeps, record: ModelRecord) {
  return {
    id: modelVersionId(workspace, record.name, record.version),
    name: record.version,
    type: `${PROVIDER}/workspaces/models/versions`,
    properties: {
      description: record.description,
      tags: record.tags,
      properties: record.properties,
      isArchived: false,
      isAnonymous: false,
      flavors: record.flavors,
      modelType: record.modelType,
      modelUri: record.modelUri,
      jobName: null,
      provisioningState: 'Succeeded',
    },
    systemData: systemData(record),
  };
}

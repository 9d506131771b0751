import { beforeEach, describe, expect, it } from 'vitest';
import { pipelineSpec } from '../../support/job-specs.ts';
import {
  BASE,
  NOW,
  SYSTEM_DATA,
  WORKSPACE,
  deployHeart,
  errorOf,
  worldMaker,
  type Call,
  type World,
} from './api-world.ts';

const ENDPOINTS = `${WORKSPACE}/batchEndpoints`;
const HEART = `${ENDPOINTS}/heart-ep`;

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
});

const operation = expect.stringMatching(
  /^https:\/\/batch\.example\/subscriptions\/sub-1\/providers\/Microsoft\.MachineLearningServices\/locations\/westeurope\/mfeOperationsStatus\/be:ws-guid:[0-9a-f-]{36}\?api-version=2023-10-01$/,
) as string;

const endpoint = (name: string, more: object = {}) => ({
  id: `${ENDPOINTS}/${name}`,
  name,
  type: 'Microsoft.MachineLearningServices/workspaces/batchEndpoints',
  location: 'westeurope',
  tags: {},
  identity: { type: 'None', principalId: null, tenantId: null },
  properties: {
    description: null,
    properties: { BatchEndpointCreationApiVersion: '2022-05-01', AzureAsyncOperationUri: operation },
    scoringUri: `${BASE}/endpoints/${name}/jobs`,
    swaggerUri: null,
    authMode: 'AADToken',
    defaults: { deploymentName: null },
    provisioningState: 'Succeeded',
    ...more,
  },
  systemData: SYSTEM_DATA,
});

const V = '?api-version=2023-10-01';

describe('an endpoint', () => {
  it('is made by PUT, complete at once, with an operation to poll', async () => {
    const made = await world.call('PUT', `${HEART}${V}`, {
      body: {
        location: 'elsewhere',
        tags: { Team: 'Café' },
        properties: { authMode: 'aadToken', description: 'hearts', properties: { Key: 'Value' }, defaults: {} },
      },
    });
    const expected = {
      ...endpoint('heart-ep', {
        description: 'hearts',
        properties: { Key: 'Value', BatchEndpointCreationApiVersion: '2022-05-01', AzureAsyncOperationUri: operation },
      }),
      tags: { Team: 'Café' },
    };
    expect([made.status, made.body]).toEqual([201, expected]);
    expect(Object.fromEntries(made.headers)).toMatchObject({
      'azure-asyncoperation': operation,
      location: `${BASE}${HEART}${V}`,
      'x-ms-async-operation-timeout': 'PT30M',
      'retry-after': '1',
    });
    const polled = await world.call('GET', made.headers.get('azure-asyncoperation') ?? '');
    const id = new URL(made.headers.get('azure-asyncoperation') ?? '').pathname;
    expect([polled.status, polled.body]).toEqual([
      200,
      { id, name: id.split('/').at(-1), status: 'Succeeded', startTime: NOW, endTime: NOW, percentComplete: 100 },
    ]);
    expect((await world.call('GET', `${HEART}${V}`)).body).toEqual(expected);
  });

  it('is found whatever the case of the path', async () => {
    await world.call('PUT', HEART, { body: {} });
    const path = HEART.toUpperCase().replace('/PROVIDERS/', '/Providers/');
    const { status, body } = await world.call('GET', `${path}${V}`);
    expect([status, body]).toEqual([200, endpoint('heart-ep')]);
  });

  it('is replaced by another PUT, which keeps the default deployment unless it names one', async () => {
    await deployHeart(world);
    world.clock.time += 60_000;
    const again = await world.call('PUT', `${ENDPOINTS}/Heart-EP${V}`, { body: { tags: { b: '1' } } });
    expect([again.status, again.body]).toEqual([
      200,
      {
        ...endpoint('heart-ep', { defaults: { deploymentName: 'blue' } }),
        tags: { b: '1' },
        systemData: { ...SYSTEM_DATA, lastModifiedAt: '2026-02-03T04:06:06.000Z' },
      },
    ]);
    const cleared = await world.call('PUT', HEART, { body: { properties: { defaults: { deploymentName: null } } } });
    expect(cleared.body).toMatchObject({ tags: {}, properties: { defaults: { deploymentName: null } } });
  });

  it('takes back what it answered without growing', async () => {
    const { body } = await world.call('PUT', `${HEART}${V}`, { body: { properties: { properties: { a: 'b' } } } });
    const again = await world.call('PUT', `${HEART}${V}`, { body });
    expect([again.status, again.body]).toEqual([200, body]);
  });

  it('changes by PATCH what is named, and nothing else', async () => {
    await deployHeart(world);
    await world.call('PATCH', HEART, { body: { tags: { a: '1' }, properties: { description: 'one' } } });
    const { status, body } = await world.call('PATCH', `${HEART}${V}`, {
      body: { Properties: { Description: 'two' } },
    });
    expect([status, body]).toEqual([
      200,
      { ...endpoint('heart-ep', { description: 'two', defaults: { deploymentName: 'blue' } }), tags: { a: '1' } },
    ]);
  });

  it('keeps tags and properties that do not fit a table row', async () => {
    const tags = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`tag-${i}`, 'ü'.repeat(200)]));
    await world.call('PUT', HEART, { body: { tags } });
    expect((await world.call('GET', HEART)).body).toMatchObject({ tags });
  });

  it('is deleted with its deployments, and is not there the second time', async () => {
    await deployHeart(world);
    const gone = await world.call('DELETE', `${HEART}${V}`);
    expect([gone.status, gone.body]).toEqual([202, null]);
    expect(gone.headers.get('azure-asyncoperation')).toEqual(operation);
    const result = await world.call('GET', gone.headers.get('location') ?? '');
    expect([result.status, result.body]).toEqual([200, '']);
    expect((await world.call('DELETE', HEART)).status).toBe(204);
    await world.call('PUT', HEART, { body: {} });
    expect((await world.call('GET', `${HEART}/deployments`)).body).toEqual({ value: [], nextLink: null });
  });

  it('is not deleted while a job of it has not ended', async () => {
    await deployHeart(world);
    const input = { jobInputType: 'UriFile', uri: 'azureml://datastores/workspaceblobstore/paths/a.csv' };
    const job = await world.call('POST', '/endpoints/heart-ep/jobs', {
      body: { properties: { inputData: { input } } },
    });
    const { name } = job.body as { name: string };
    const before = world.writes.length;
    expect(errorOf(await world.call('DELETE', HEART))).toEqual({
      status: 409,
      code: 'Conflict',
      target: undefined,
      message: `Endpoint 'heart-ep' has a job that has not ended: '${name}'. Cancel it or wait for its end.`,
    });
    expect(world.writes.slice(before)).toEqual([]);
    await world.jobs.transition(name, ({ name, endpoint, deployment, createdAt, cancelRequested }) => ({
      ...{ name, endpoint, deployment, createdAt, cancelRequested, totals: null, failures: [], errorsUri: null },
      ...{ state: 'failed', startedAt: null, endedAt: NOW, reason: { code: 'X', message: 'y' } },
    }));
    expect((await world.call('DELETE', HEART)).status).toBe(202);
  });
});

describe('an endpoint that runs a pipeline', () => {
  it('is not deleted before the pipeline has ended', async () => {
    await deployHeart(world);
    await world.pipelines.create(pipelineSpec('elsewhere', { endpoint: 'other', deployment: 'blue' }));
    await world.pipelines.create(pipelineSpec('piped', { endpoint: 'heart-ep', deployment: 'blue' }));
    expect(errorOf(await world.call('DELETE', HEART))).toMatchObject({
      status: 409,
      message: "Endpoint 'heart-ep' has a job that has not ended: 'piped'. Cancel it or wait for its end.",
    });
    await world.pipelines.transition('piped', ({ name, createdAt, cancelRequested }) => ({
      ...{ state: 'completed', name, createdAt, cancelRequested, startedAt: null, endedAt: createdAt },
    }));
    expect((await world.call('DELETE', HEART)).status).toBe(202);
  });
});

describe('the list of endpoints', () => {
  it.each([0, 1])('holds %i', async (count) => {
    if (count > 0) await world.call('PUT', HEART, { body: {} });
    const { status, body } = await world.call('GET', `${ENDPOINTS}${V}`);
    expect([status, body]).toEqual([200, { value: count > 0 ? [endpoint('heart-ep')] : [], nextLink: null }]);
  });

  it('goes from page to page', async () => {
    for (const name of ['ccc', 'aaa', 'bbb']) await world.call('PUT', `${ENDPOINTS}/${name}`, { body: {} });
    const names: string[][] = [];
    let next: string | null = `${ENDPOINTS}?count=2`;
    while (next !== null) {
      const page = (await world.call('GET', next)).body as { value: { name: string }[]; nextLink: string | null };
      names.push(page.value.map(({ name }) => name));
      next = page.nextLink;
    }
    expect(names).toEqual([['aaa', 'bbb'], ['ccc']]);
  });
});

describe('bad requests', () => {
  it.each<[string, string, string, Call, number, string | undefined]>([
    ['a name that is too short', 'PUT', `${ENDPOINTS}/ab`, { body: {} }, 400, 'name'],
    ['a name with a dot', 'PUT', `${ENDPOINTS}/a.b.c`, { body: {} }, 400, 'name'],
    ['a name that ends in a hyphen', 'PUT', `${ENDPOINTS}/abc-`, { body: {} }, 400, 'name'],
    [
      'another way to authenticate',
      'PUT',
      HEART,
      { body: { properties: { authMode: 'Key' } } },
      400,
      'properties.authMode',
    ],
    ['tags of another kind', 'PUT', HEART, { body: { tags: [] } }, 400, 'tags'],
    [
      'a default that is not there',
      'PUT',
      HEART,
      { body: { properties: { defaults: { deploymentName: 'x' } } } },
      400,
      'properties.defaults.deploymentName',
    ],
    ['no body', 'PUT', HEART, {}, 411, undefined],
    ['broken JSON', 'PUT', HEART, { text: '{' }, 400, undefined],
    ['a PATCH of nothing', 'PATCH', HEART, { body: {} }, 404, undefined],
    ['a GET of nothing', 'GET', HEART, {}, 404, undefined],
    ['another subscription', 'PUT', HEART.replace('sub-1', 'sub-2'), { body: {} }, 404, undefined],
    ['another resource group', 'PUT', HEART.replace('rg-1', 'rg-2'), { body: {} }, 404, undefined],
    ['another workspace', 'PUT', HEART.replace('ws-1', 'ws-2'), { body: {} }, 404, undefined],
    ['another provider', 'PUT', HEART.replace('MachineLearningServices', 'Web'), { body: {} }, 404, undefined],
    ['a route that is not there', 'POST', `${HEART}/nothing`, { body: {} }, 404, undefined],
  ])('%s: refused, and nothing changes', async (_what, method, path, call, status, target) => {
    expect(errorOf(await world.call(method, path, call))).toMatchObject({ status, target });
    expect(world.writes.filter((write) => write !== 'write app-key')).toEqual([]);
  });

  it('says ResourceNotFound of another workspace', async () => {
    expect(errorOf(await world.call('GET', HEART.replace('ws-1', 'ws-2')))).toEqual({
      status: 404,
      code: 'ResourceNotFound',
      target: undefined,
      message: 'The workspace does not exist.',
    });
  });
});

it('an endpoint has no keys, and says why', async () => {
  await world.call('PUT', HEART, { body: {} });
  expect(errorOf(await world.call('POST', `${HEART}/listKeys`, { body: {} }))).toEqual({
    status: 400,
    code: 'UserError',
    target: undefined,
    message: `Endpoint '${HEART.split('/').at(-1)}' has no keys: its authMode is AADToken, so callers send a Microsoft Entra token.`,
  });
});

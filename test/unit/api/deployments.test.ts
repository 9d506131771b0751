import { beforeEach, describe, expect, it } from 'vitest';
import { ModelFault } from '../../../shared/scoring/engine.ts';
import { SYSTEM_DATA, WORKSPACE, deployHeart, errorOf, makeCompute, worldMaker, type World } from './api-world.ts';

const HEART = `${WORKSPACE}/batchEndpoints/heart-ep`;
const BLUE = `${HEART}/deployments/blue`;
const GREEN = `${HEART}/deployments/green`;
const ENVIRONMENT = `${WORKSPACE}/environments/e/versions/1`;
const MODEL = `${WORKSPACE}/models/heart/versions/1`;

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await deployHeart(world);
});

const deployment = (name: string, more: object = {}) => ({
  id: `${HEART}/deployments/${name}`,
  name,
  type: 'Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments',
  location: 'westeurope',
  tags: {},
  properties: {
    description: null,
    properties: {},
    codeConfiguration: null,
    environmentId: null,
    environmentVariables: {},
    compute: null,
    errorThreshold: -1,
    retrySettings: { maxRetries: 3, timeout: 'PT30S' },
    miniBatchSize: 10,
    loggingLevel: 'Info',
    model: { referenceType: 'Id', assetId: MODEL },
    maxConcurrencyPerInstance: 1,
    outputAction: 'AppendRow',
    outputFileName: 'predictions.csv',
    resources: { instanceCount: 1, instanceType: null, properties: null },
    provisioningState: 'Succeeded',
    ...more,
  },
  systemData: SYSTEM_DATA,
});

describe('a deployment', () => {
  it("has Azure ML's defaults for what the client left out", async () => {
    const made = await world.call('PUT', GREEN, { body: { properties: { model: { assetId: MODEL } } } });
    expect([made.status, made.body]).toEqual([201, deployment('green')]);
    expect(made.headers.get('azure-asyncoperation')).toMatch(/mfeOperationsStatus\/bd:ws-guid:/);
    expect((await world.call('GET', GREEN)).body).toEqual(deployment('green'));
  });

  it('keeps what the REST sample sends: numbers as strings, names in any case', async () => {
    await makeCompute(world, 'batch-cluster', 4);
    await world.call('PUT', ENVIRONMENT, { body: { properties: { image: 'mcr.example/base:1' } } });
    const made = await world.call('PUT', GREEN, {
      body: {
        Tags: { A: '1' },
        Location: 'eastus2',
        Properties: {
          Description: 'd',
          Properties: { 'batchpoint.outputFormat': 'azureml', other: 'x' },
          Model: { ReferenceType: 'id', AssetId: `azureml:${MODEL.toLowerCase()}` },
          Compute: `${WORKSPACE}/computes/batch-cluster`,
          EnvironmentId: ENVIRONMENT,
          EnvironmentVariables: { LEVEL: 3 },
          MiniBatchSize: '5',
          ErrorThreshold: '10',
          MaxConcurrencyPerInstance: '4',
          LoggingLevel: 'warning',
          OutputAction: 'appendRow',
          OutputFileName: 'out.csv',
          RetrySettings: { MaxRetries: '5', Timeout: 'PT300S' },
          Resources: { InstanceCount: '2' },
        },
      },
    });
    expect([made.status, made.body]).toEqual([
      201,
      {
        ...deployment('green', {
          description: 'd',
          properties: { 'batchpoint.outputFormat': 'azureml', other: 'x' },
          compute: `${WORKSPACE}/computes/batch-cluster`,
          environmentId: ENVIRONMENT,
          environmentVariables: { LEVEL: '3' },
          miniBatchSize: 5,
          errorThreshold: 10,
          maxConcurrencyPerInstance: 4,
          loggingLevel: 'Warning',
          outputFileName: 'out.csv',
          retrySettings: { maxRetries: 5, timeout: 'PT5M' },
          resources: { instanceCount: 2, instanceType: null, properties: null },
        }),
        tags: { A: '1' },
      },
    ]);
  });

  it.each([
    'azureml:heart:1',
    'azureml:HEART@latest',
    `azureml:${MODEL}`,
    'azureml://locations/x/workspaces/ws-1/models/heart/versions/1',
  ])('takes the model as %s', async (assetId) => {
    const made = await world.call('PUT', GREEN, { body: { properties: { model: { assetId } } } });
    expect([made.status, made.body]).toEqual([201, deployment('green')]);
  });

  it('is replaced by another PUT', async () => {
    const body = { properties: { model: { assetId: MODEL }, miniBatchSize: 3 } };
    expect((await world.call('PUT', BLUE.replace('blue', 'BLUE'), { body })).status).toBe(200);
    expect((await world.call('GET', BLUE)).body).toEqual(deployment('blue', { miniBatchSize: 3 }));
  });

  it('changes by PATCH what is named, and nothing else', async () => {
    await world.call('PATCH', BLUE, { body: { tags: { a: '1' }, properties: { retrySettings: { maxRetries: 1 } } } });
    const body = { properties: { description: 'two', retrySettings: { timeout: 'PT1H' }, model: { assetId: MODEL } } };
    const refused = await world.call('PATCH', BLUE, { body });
    expect(errorOf(refused)).toMatchObject({ status: 400, target: 'properties.retrySettings.timeout' });
    body.properties.retrySettings.timeout = 'PT1M';
    expect((await world.call('PATCH', BLUE, { body })).body).toEqual({
      ...deployment('blue', {
        description: 'two',
        compute: 'azureml:default',
        retrySettings: { maxRetries: 1, timeout: 'PT1M' },
      }),
      tags: { a: '1' },
    });
  });

  it('leaves an endpoint without a default when the default is deleted', async () => {
    await world.call('PUT', GREEN, { body: { properties: { model: { assetId: MODEL } } } });
    expect((await world.call('DELETE', GREEN)).status).toBe(202);
    expect((await world.call('GET', HEART)).body).toMatchObject({
      properties: { defaults: { deploymentName: 'blue' } },
    });
    const gone = await world.call('DELETE', BLUE);
    expect([gone.status, gone.body]).toEqual([202, null]);
    expect((await world.call('GET', HEART)).body).toMatchObject({ properties: { defaults: { deploymentName: null } } });
    expect((await world.call('DELETE', BLUE)).status).toBe(204);
    expect((await world.call('GET', BLUE)).status).toBe(404);
  });

  it('is listed with the others of its endpoint', async () => {
    await world.call('PUT', GREEN, { body: { properties: { model: { assetId: MODEL } } } });
    const { body } = await world.call('GET', `${HEART}/deployments`);
    expect(body).toEqual({
      value: [deployment('blue', { compute: 'azureml:default' }), deployment('green')],
      nextLink: null,
    });
    const page = (await world.call('GET', `${HEART}/deployments?$top=1`)).body as { nextLink: string };
    expect((await world.call('GET', page.nextLink)).body).toEqual({ value: [deployment('green')], nextLink: null });
  });

  it('is refused with a model that cannot be loaded', async () => {
    world = await freshWorld({
      prove: async ({ model }) => {
        if (model.version === '2') throw new ModelFault('The input is a sequence.');
      },
    });
    await deployHeart(world);
    const modelUri = 'azureml://datastores/workspaceblobstore/paths/models/heart';
    await world.call('PUT', MODEL.replace(/1$/, '2'), { body: { properties: { modelUri } } });
    const answer = await world.call('PUT', GREEN, { body: { properties: { model: { assetId: 'azureml:heart:2' } } } });
    expect(errorOf(answer)).toEqual({
      status: 400,
      code: 'UserError',
      target: 'properties.model',
      message: 'The input is a sequence.',
    });
    expect((await world.call('GET', GREEN)).status).toBe(404);
  });
});

describe('bad requests', () => {
  const model = { assetId: MODEL };
  it.each<[string, string, object, number, string | undefined]>([
    ['no model', GREEN, {}, 400, 'model'],
    ['a model by path', GREEN, { model: { referenceType: 'DataPath', path: 'x' } }, 400, 'model.referenceType'],
    ['a model without an id', GREEN, { model: {} }, 400, 'model.assetId'],
    ['a model id of another kind', GREEN, { model: { assetId: 'heart' } }, 400, 'model.assetId'],
    [
      'a model of another workspace',
      GREEN,
      { model: { assetId: MODEL.replace('ws-1', 'ws-2') } },
      400,
      'model.assetId',
    ],
    [
      'a model of a registry',
      GREEN,
      { model: { assetId: 'azureml://registries/r/models/heart/versions/1' } },
      400,
      'model.assetId',
    ],
    ['a version that is not there', GREEN, { model: { assetId: 'azureml:heart:9' } }, 400, 'model.assetId'],
    ['another label', GREEN, { model: { assetId: 'azureml:heart@best' } }, 400, 'model.assetId'],
    [
      'a scoring script without a file',
      GREEN,
      { model, codeConfiguration: {} },
      400,
      'codeConfiguration.scoringScript',
    ],
    ['a compute that is not there', GREEN, { model, compute: 'azureml:none' }, 400, 'compute'],
    ['a compute of another workspace', GREEN, { model, compute: '/computes/default' }, 400, 'compute'],
    [
      'a pipeline component of no type',
      GREEN,
      { deploymentConfiguration: {} },
      400,
      'deploymentConfiguration.deploymentConfigurationType',
    ],
    ['a summary without a script', GREEN, { model, outputAction: 'SummaryOnly' }, 400, 'outputAction'],
    [
      'a timeout that does not fit',
      GREEN,
      { model, retrySettings: { timeout: 'PT1721S' } },
      400,
      'retrySettings.timeout',
    ],
    ['a mini-batch of nothing', GREEN, { model, miniBatchSize: '0' }, 400, 'miniBatchSize'],
    ['too many instances', GREEN, { model, resources: { instanceCount: 1001 } }, 400, 'resources.instanceCount'],
    ['an unknown extension', GREEN, { model, properties: { 'batchpoint.x': '1' } }, 400, 'properties.batchpoint.x'],
    ['a bad name', `${HEART}/deployments/a_b`, { model }, 400, undefined],
    ['an endpoint that is not there', GREEN.replace('heart-ep', 'nobody'), { model }, 404, undefined],
  ])('%s: refused, and nothing changes', async (_what, path, properties, status, field) => {
    const before = world.writes.length;
    const target = field === undefined ? {} : { target: `properties.${field}` };
    expect(errorOf(await world.call('PUT', path, { body: { properties } }))).toMatchObject({ status, ...target });
    expect(world.writes.slice(before)).toEqual([]);
  });

  it.each<[string, string, object, number]>([
    ['another model', BLUE, { properties: { model: { assetId: 'azureml:other:1' } } }, 400],
    ['an unknown extension', BLUE, { properties: { properties: { 'batchpoint.x': '1' } } }, 400],
    ['a deployment that is not there', GREEN, {}, 404],
    ['an endpoint that is not there', GREEN.replace('heart-ep', 'nobody'), {}, 404],
  ])('PATCH with %s: refused, and nothing changes', async (_what, path, body, status) => {
    const before = world.writes.length;
    expect((await world.call('PATCH', path, { body })).status).toBe(status);
    expect(world.writes.slice(before)).toEqual([]);
  });
});

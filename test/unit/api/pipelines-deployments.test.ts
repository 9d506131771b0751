import { beforeEach, describe, expect, it } from 'vitest';
import { deployHeart, errorOf, WORKSPACE, worldMaker, type World } from './api-world.ts';
import { bodiesOf, configuration, FLOW, furnish, registerComponent, replay, STEP } from './pipelines-world.ts';

const freshWorld = worldMaker();
let world: World;

const ENDPOINT = `${WORKSPACE}/batchEndpoints/heart`;
const ORDINAL = `${ENDPOINT}/deployments/ordinal`;

beforeEach(async () => {
  world = await freshWorld();
  await furnish(world);
  await world.call('PUT', ENDPOINT, { body: {} });
  await registerComponent(world, 'flow', FLOW);
});

const deploy = (properties: object, path = ORDINAL, method = 'PUT') =>
  world.call(method, path, { body: { properties } });
const deployFlow = (path = ORDINAL, settings: object = {}) =>
  deploy({ deploymentConfiguration: configuration('azureml:flow:1', settings) }, path);

describe('a deployment of a component', () => {
  it.each([
    ['deployment', 'ordinal'],
    ['deployment-of-job', 'of-job'],
  ])('is what the client makes of its %s', async (fixture, name) => {
    await replay(world, 'command-component-inline-environment');
    await replay(world, 'dsl-component');
    if (fixture === 'deployment-of-job') await replay(world, 'dsl-job');
    // The client goes on with the id that it was answered for the component.
    const bodies = bodiesOf(fixture);
    const component = await world.call('PUT', `${WORKSPACE}${bodies[0]?.path ?? ''}`, { body: bodies[0]?.body });
    const { id: assetId } = component.body as { id: string };
    const { deploymentConfiguration: sent, ...others } = bodies[1]?.body.properties ?? {};
    const deploymentConfiguration = { ...(sent as object), componentId: { referenceType: 'Id', assetId } };
    const answer = await deploy({ ...others, deploymentConfiguration }, `${ENDPOINT}/deployments/${name}`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    expect(answer.body).toMatchObject({
      name,
      properties: {
        model: null,
        provisioningState: 'Succeeded',
        deploymentConfiguration: {
          deploymentConfigurationType: 'PipelineComponent',
          componentId: { referenceType: 'Id', assetId },
          settings: { default_compute: 'cpu', continue_on_step_failure: 'false', force_rerun: 'true' },
        },
      },
    });
    expect((await world.call('GET', `${ENDPOINT}/deployments/${name}`)).body).toEqual(answer.body);
    expect((await world.call('GET', `${ENDPOINT}/deployments`)).body).toMatchObject({ value: [answer.body] });
  });

  it('keeps its component when it is patched', async () => {
    await deployFlow();
    const patched = await deploy(
      { description: 'why', deploymentConfiguration: configuration('azureml:flow:1', { force_rerun: true }) },
      ORDINAL,
      'PATCH',
    );
    expect(patched.body).toMatchObject({
      properties: { description: 'why', deploymentConfiguration: { settings: { force_rerun: 'true' } } },
    });
    await registerComponent(world, 'flow', FLOW, '2');
    expect(
      errorOf(await deploy({ deploymentConfiguration: configuration('azureml:flow:2') }, ORDINAL, 'PATCH')),
    ).toMatchObject({ status: 400, target: 'properties.deploymentConfiguration.componentId' });
    expect(errorOf(await deploy({ model: { assetId: 'azureml:heart:1' } }, ORDINAL, 'PATCH'))).toMatchObject({
      status: 400,
      target: 'properties.model',
    });
  });

  it('may take the place of one of a model, and give it back', async () => {
    await deployHeart(world);
    const blue = `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`;
    expect((await deployFlow(blue)).status).toBe(200);
    expect((await deploy({ model: { assetId: 'azureml:heart:1' } }, blue)).status).toBe(200);
  });

  it('holds its component as long as it is there', async () => {
    await deployFlow();
    const component = `${WORKSPACE}/components/flow/versions/1`;
    expect(errorOf(await world.call('DELETE', component))).toMatchObject({ status: 409 });
    await world.call('DELETE', ORDINAL);
    expect((await world.call('DELETE', component)).status).toBe(200);
  });

  const target = 'deploymentConfiguration.componentId.assetId';
  it.each<[string, object, string | undefined]>([
    ['a component that is not there', { deploymentConfiguration: configuration('azureml:flow:9') }, target],
    ['a component that is no pipeline', { deploymentConfiguration: configuration('azureml:copy:1') }, target],
    [
      'no component',
      { deploymentConfiguration: { deploymentConfigurationType: 'PipelineComponent' } },
      'deploymentConfiguration.componentId',
    ],
    ['a model beside it', { deploymentConfiguration: configuration(), model: { assetId: 'azureml:m:1' } }, 'model'],
    [
      'a scoring script beside it',
      { deploymentConfiguration: configuration(), codeConfiguration: { scoringScript: 'a.py' } },
      'codeConfiguration',
    ],
    [
      'a watched folder',
      { deploymentConfiguration: configuration(), properties: { 'batchpoint.watch': '{"prefix":"in/"}' } },
      'properties.batchpoint.watch',
    ],
    [
      'a compute that is not there',
      { deploymentConfiguration: configuration(undefined, { default_compute: 'gpu' }) },
      'deploymentConfiguration.settings.default_compute',
    ],
    [
      'a datastore that is not there',
      { deploymentConfiguration: configuration(undefined, { default_datastore: 'cellar' }) },
      'deploymentConfiguration.settings.default_datastore',
    ],
    [
      'a setting that is no boolean',
      { deploymentConfiguration: configuration(undefined, { force_rerun: 'maybe' }) },
      'deploymentConfiguration.settings.forceRerun',
    ],
  ])('is refused with %s, and nothing changes', async (_what, properties, field) => {
    await registerComponent(world, 'copy', STEP);
    const before = world.writes.length;
    expect(errorOf(await deploy(properties))).toMatchObject({
      status: 400,
      ...(field !== undefined && { target: `properties.${field}` }),
    });
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('is refused when a component of its steps was deleted', async () => {
    await registerComponent(world, 'copy', STEP);
    const jobs = { a: { type: 'command', component: 'azureml:copy:1', inputs: { data: '${{parent.inputs.raw}}' } } };
    await registerComponent(world, 'other', { type: 'pipeline', inputs: { raw: { type: 'uri_folder' } }, jobs });
    await world.call('DELETE', `${WORKSPACE}/components/copy/versions/1`);
    expect(errorOf(await deploy({ deploymentConfiguration: configuration('azureml:other:1') }))).toMatchObject({
      status: 400,
      target: `properties.${target}.jobs.a.componentId`,
    });
  });

  it('is refused where no code is allowed', async () => {
    world = await freshWorld({ allowCode: false });
    await world.call('PUT', ENDPOINT, { body: {} });
    await registerComponent(world, 'flow', FLOW);
    const { status, message } = errorOf(await deployFlow()) as { status: number; message: string };
    expect([status, message]).toEqual([400, expect.stringContaining('BATCHPOINT_ALLOW_CODE=true')]);
  });
});

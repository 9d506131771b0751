import { beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_DATA, WORKSPACE, deployHeart, errorOf, makeCompute, worldMaker, type World } from './api-world.ts';

const TYPE = 'Microsoft.MachineLearningServices/workspaces';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
});

const get = async (path: string) => (await world.call('GET', `${WORKSPACE}/${path}`)).body;

describe('a deployment on a compute', () => {
  const BLUE = `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`;
  const invoke = () =>
    world.call('POST', '/endpoints/heart-ep/jobs', {
      body: {
        properties: {
          inputData: { d: { jobInputType: 'UriFolder', uri: 'azureml://datastores/workspaceblobstore/paths/in/' } },
        },
      },
    });

  beforeEach(async () => {
    await deployHeart(world);
    await makeCompute(world, 'cpu', 3);
  });

  it.each(['azureml:cpu', 'CPU', `${WORKSPACE}/computes/cpu`, `azureml:${WORKSPACE.toLowerCase()}/computes/Cpu`])(
    'runs on as many instances as %s has',
    async (compute) => {
      expect((await world.call('PATCH', BLUE, { body: { properties: { compute } } })).status).toBe(200);
      const { name } = (await invoke()).body as { name: string };
      expect(await world.jobs.spec(name)).toMatchObject({ maxInstances: 3 });
    },
  );

  it("runs on the app's own instances when it names none", async () => {
    const { name } = (await invoke()).body as { name: string };
    expect(await world.jobs.spec(name)).not.toHaveProperty('maxInstances');
  });

  it('is not invoked when its compute is gone, and the answer says how to make it', async () => {
    await world.call('PATCH', BLUE, { body: { properties: { compute: 'azureml:cpu' } } });
    await world.call('DELETE', `${WORKSPACE}/computes/cpu`);
    const before = world.writes.length;
    expect(errorOf(await invoke())).toEqual({
      status: 400,
      code: 'UserError',
      target: 'properties.compute',
      message:
        "properties.compute: compute 'cpu' does not exist. Create it with ml_client.compute.begin_create_or_update(AmlCompute(name=\"cpu\", max_instances=4)).result(), or leave it out to run on the app's own instances.",
    });
    expect(world.writes.slice(before)).toEqual([]);
  });
});

describe('computes', () => {
  const cluster = (name: string, scaleSettings: object, more: object = {}) => ({
    id: `${WORKSPACE}/computes/${name}`,
    name,
    type: `${TYPE}/computes`,
    location: 'westeurope',
    tags: {},
    identity: null,
    properties: {
      computeType: 'AmlCompute',
      computeLocation: 'westeurope',
      provisioningState: 'Succeeded',
      provisioningErrors: null,
      description: null,
      createdOn: SYSTEM_DATA.createdAt,
      modifiedOn: SYSTEM_DATA.createdAt,
      resourceId: null,
      isAttachedCompute: false,
      disableLocalAuth: true,
      properties: {
        vmSize: 'Standard_DS3_v2',
        vmPriority: 'Dedicated',
        osType: 'Linux',
        enableNodePublicIp: true,
        isolatedNetwork: null,
        remoteLoginPortPublicAccess: 'NotSpecified',
        subnet: null,
        scaleSettings: { minNodeCount: 0, nodeIdleTimeBeforeScaleDown: 'PT2M', ...scaleSettings },
        allocationState: 'Steady',
        allocationStateTransitionTime: SYSTEM_DATA.createdAt,
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
        ...more,
      },
    },
    systemData: SYSTEM_DATA,
  });

  it('are kept as the client described them, without its password', async () => {
    const PATH = `${WORKSPACE}/computes/cpu-cluster`;
    const properties = {
      vmSize: 'STANDARD_D2',
      vmPriority: 'LowPriority',
      userAccountCredentials: { adminUserName: 'me', adminUserPassword: 'hunter2' },
      scaleSettings: { minNodeCount: 1, maxNodeCount: '4', nodeIdleTimeBeforeScaleDown: 'PT180S' },
    };
    const body = { location: 'westeurope', properties: { computeType: 'amlcompute', properties } };
    const made = await world.call('PUT', PATH, { body });
    const shown = cluster(
      'cpu-cluster',
      { minNodeCount: 1, maxNodeCount: 4, nodeIdleTimeBeforeScaleDown: 'PT3M' },
      { vmSize: 'STANDARD_D2', vmPriority: 'LowPriority' },
    );
    expect([made.status, made.body]).toEqual([201, shown]);
    expect((await world.call('PUT', PATH, { body })).status).toBe(200);
    const patch = { properties: { properties: { scaleSettings: { maxNodeCount: 8 } } } };
    const patched = await world.call('PATCH', PATH, {
      body: patch,
      headers: { 'if-match': made.headers.get('etag') ?? '' },
    });
    expect(patched.body).toMatchObject({ properties: { properties: { scaleSettings: { maxNodeCount: 8 } } } });
    expect(JSON.stringify([await get('computes'), world.lines])).not.toContain('hunter2');
    expect((await world.call('POST', `${PATH}/listNodes`)).body).toEqual({ nodes: [], nextLink: null });
    const remove = () => world.call('DELETE', `${PATH}?underlyingResourceAction=Delete`);
    expect([(await remove()).status, (await remove()).status]).toEqual([200, 204]);
  });

  it("are the app's own first, which nobody changes, then the others page by page", async () => {
    for (const name of ['b-cluster', 'a-cluster']) await makeCompute(world, name, 2);
    const names: string[] = [];
    let next: string | null = `${WORKSPACE}/computes?$top=1`;
    while (next !== null) {
      const page = (await world.call('GET', next)).body as { value: { name: string }[]; nextLink: string | null };
      names.push(...page.value.map(({ name }) => name));
      next = page.nextLink;
    }
    expect(names).toEqual(['default', 'a-cluster', 'b-cluster']);
    expect(await get('computes/DEFAULT')).toMatchObject({
      name: 'default',
      properties: { provisioningState: 'Succeeded' },
    });
    expect((await makeCompute(world, 'Default', 2)).status).toBe(409);
    expect((await world.call('DELETE', `${WORKSPACE}/computes/default`)).status).toBe(409);
  });

  it.each(['x', '1a', 'a_b', 'a-', 'x'.repeat(33)])('have no name like %s', async (name) => {
    expect(errorOf(await makeCompute(world, name, 1))).toMatchObject({ status: 400, target: 'name' });
  });

  it.each<[object, string]>([
    [{ minNodeCount: 3, maxNodeCount: 2 }, 'minNodeCount'],
    [{ maxNodeCount: 2, nodeIdleTimeBeforeScaleDown: '2m' }, 'nodeIdleTimeBeforeScaleDown'],
    [{}, 'maxNodeCount'],
  ])('refuse %j', async (scaleSettings, field) => {
    const body = { properties: { computeType: 'AmlCompute', properties: { scaleSettings } } };
    const answer = await world.call('PUT', `${WORKSPACE}/computes/cpu`, { body });
    expect(errorOf(answer)).toMatchObject({ status: 400, target: `properties.properties.scaleSettings.${field}` });
  });
});

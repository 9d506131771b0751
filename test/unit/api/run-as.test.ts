import { beforeAll, describe, expect, it } from 'vitest';
import { deployHeart, errorOf, worldMaker, WORKSPACE, type World } from './api-world.ts';

const BLUE = `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`;

const freshWorld = worldMaker();
let world: World;

beforeAll(async () => {
  world = await freshWorld();
  await deployHeart(world);
});

const deploy = (properties: object) =>
  world.call('PUT', BLUE, { body: { properties: { model: { assetId: 'azureml:heart:1' }, properties } } });

describe('batchpoint.runAs of a deployment', () => {
  it.each([
    [{ 'batchpoint.runAs': 'nobody' }, "must be 'invoker' or 'app'"],
    [{ 'batchpoint.runas': 'invoker', 'batchpoint.watch': '{"prefix":"in"}' }, 'nobody invokes the jobs of a watch'],
    [{ 'batchpoint.runAs': 'invoker', 'BATCHPOINT.RUNAS': 'app' }, 'is given twice'],
  ])('%j is refused', async (properties, message) => {
    const before = world.writes.length;
    const said = { status: 400, message: expect.stringContaining(message) as string };
    expect(errorOf(await deploy(properties))).toMatchObject(said);
    expect(world.writes.slice(before)).toEqual([]);
  });

  it.each(['app', 'invoker'])("'%s' is kept as it was sent", async (runAs) => {
    const properties = { 'batchpoint.runAs': runAs };
    expect((await deploy(properties)).body).toMatchObject({ properties: { properties } });
  });
});

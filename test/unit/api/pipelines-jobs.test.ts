import { beforeEach, describe, expect, it } from 'vitest';
import { deployHeart, WORKSPACE, worldMaker, type World } from './api-world.ts';
import { furnish, replay } from './pipelines-world.ts';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await furnish(world);
});



describe('what the client sends', () => {
  beforeEach(() => deployHeart(world));
  it('becomes a job of its pipeline, which is shown as it was sent', async () => {
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/heart-of-all`, { body: {} });
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/heart-of-all/deployments/blue`, {
      body: { properties: { model: { assetId: 'azureml:heart:1' } } },
    });
    await replay(world, 'command-component-inline-environment');
    await replay(world, 'pipeline-component');
    const answer = await replay(world, 'pipeline-job');
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    const { name } = answer.body as { name: string };
    console.log(JSON.stringify(answer.body, null, 1));
    console.log(JSON.stringify(await world.pipelines.spec(name), null, 1));
  });
  it.each(['dsl-job', 'command-job', 'component-job'])('%s becomes a job', async (fixture) => {
    await replay(world, 'command-component-inline-environment');
    await replay(world, 'pipeline-component');
    await replay(world, 'dsl-component');
    const answer = await replay(world, fixture);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    const { name } = answer.body as { name: string };
    const { sent, ...spec } = (await world.pipelines.spec(name))!;
    console.log(JSON.stringify(spec, null, 1));
  });
});

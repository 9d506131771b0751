import { beforeEach, describe, expect, it } from 'vitest';
import { outputAssetId, parseOutputAssetId } from '../../../shared/api/data/run-outputs.ts';
import { uuidOf } from '../../../shared/domain/uuid.ts';
import { deployHeart, WORKSPACE, worldMaker, type World } from './api-world.ts';
import { copyStep, furnish, jobRefusal, registerComponent, STORE } from './pipelines-world.ts';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await furnish(world);
});

describe('an output is refused', () => {
  const bound = (...outputs: string[]) =>
    Object.fromEntries(outputs.map((name) => [name, copyStep({ outputs: { out: `\${{parent.outputs.${name}}}` } })]));
  const at = (uri: string, jobOutputType = 'uri_folder') => ({ jobOutputType, uri });

  it.each<[string, object, [status: number, target: string, message: string]]>([
    [
      'outside of the datastores',
      { outputs: { one: at('azureml://datastores/cellar/paths/x') }, jobs: bound('one') },
      [
        403,
        'properties.outputs.one.uri',
        "'azureml://datastores/cellar/paths/x' does not lie in a datastore of this workspace, or not where this job may write: below a folder that its deployment declares ('batchpoint.outputs') or that the app setting BATCHPOINT_GRANTS opens to it.",
      ],
    ],
    [
      'at the place of another',
      { outputs: { one: at(`${STORE}/x`), two: at(`${STORE}/x/`) }, jobs: bound('one', 'two') },
      [400, 'properties.outputs.two.uri', 'is the place of properties.outputs.one.uri, too; give it another.'],
    ],
    [
      'at a path of more than 800 characters',
      { outputs: { one: at(`${STORE}/${'x/'.repeat(401)}`) }, jobs: bound('one') },
      [400, 'properties.outputs.one.uri', 'an output path may have at most 800 characters.'],
    ],
    [
      'all over a datastore',
      { outputs: { one: at(`${STORE}/`) }, jobs: bound('one') },
      [400, 'properties.outputs.one.uri', 'is a whole datastore; name a folder in it.'],
    ],
    [
      'as a file when it is a folder',
      { outputs: { one: at(`${STORE}/x.csv`, 'uri_file') }, jobs: bound('one') },
      [400, 'properties.outputs.one', 'is a uri_folder, not a uri_file.'],
    ],
  ])('%s', async (_what, properties, expected) => {
    expect(await jobRefusal(world, properties)).toEqual(expected);
  });

  it('at two places when it has two names', async () => {
    const jobs = { a: { ...copyStep(), outputs: { out: '${{parent.outputs.one}}' } } };
    const two = '${{parent.jobs.a.outputs.out}}';
    const inputs = { raw: { type: 'uri_folder' } };
    const outputs = { one: { type: 'uri_folder' }, two };
    expect((await registerComponent(world, 'flow', { type: 'pipeline', inputs, outputs, jobs })).status).toBe(201);
    const run = { componentId: 'azureml:flow:1', jobs: {} };
    expect(await jobRefusal(world, { ...run, outputs: { one: at(`${STORE}/x`), two: at(`${STORE}/y`) } })).toEqual([
      400,
      'properties.outputs.two.uri',
      'is the same output as properties.outputs.one.uri and cannot go elsewhere.',
    ]);
  });

  it('where a deployment watches', async () => {
    await deployHeart(world);
    const watched = await world.call('PATCH', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`, {
      body: { properties: { properties: { 'batchpoint.watch': '{"prefix":"incoming/","pattern":"*.csv"}' } } },
    });
    expect(watched.status).toBe(200);
    expect(await jobRefusal(world, { outputs: { one: at(`${STORE}/incoming/x`) }, jobs: bound('one') })).toEqual([
      400,
      'properties.outputs.one.uri',
      "deployment 'blue' of endpoint 'heart-ep' scores what is written to 'incoming/'; choose another place.",
    ]);
  });
});

it.each(['out', 'my-out', 'group.out_1'])('an output called %s is found again by its asset id', (output) => {
  const workspace = {
    ...{ subscriptionId: 's', resourceGroup: 'r', workspace: 'w' },
    ...{ location: 'westeurope', workspaceId: 'guid', tenantId: 't' },
  };
  const runId = uuidOf('mine/a');
  expect(parseOutputAssetId(outputAssetId(workspace, runId, output))).toEqual({ runId, output });
});

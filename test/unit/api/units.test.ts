import { beforeEach, describe, expect, it } from 'vitest';
import type { Scorer } from '../../../shared/domain/scorer.ts';
import { ModelFault } from '../../../shared/scoring/engine.ts';
import { WORKSPACE, deployHeart, errorOf, worldMaker, type World } from './api-world.ts';

const BLUE = `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`;
const CODE = `${WORKSPACE}/codes/scoring/versions/1`;
const UNIT = 'batchpoint.miniBatchUnit';

const freshWorld = worldMaker();
let world: World;
let proved: Scorer[];
let fault: Error | undefined;

beforeEach(async () => {
  proved = [];
  fault = undefined;
  world = await freshWorld({
    prove: async (scorer) => {
      proved.push(scorer);
      if (fault) throw fault;
    },
  });
  await deployHeart(world);
  proved.length = 0;
});

const unit = (name: string, miniBatchSize?: number) => ({
  properties: { [UNIT]: name },
  ...(miniBatchSize !== undefined && { miniBatchSize }),
});
const put = (properties: object) =>
  world.call('PUT', BLUE, { body: { properties: { model: { assetId: 'azureml:heart:1' }, ...properties } } });
const patch = (properties: object) => world.call('PATCH', BLUE, { body: { properties } });
const invoke = async (properties: object) => {
  const uri = 'azureml://datastores/workspaceblobstore/paths/in';
  const inputData = { in: { jobInputType: 'UriFolder', uri } };
  return world.call('POST', '/endpoints/heart-ep/jobs', { body: { properties: { inputData, ...properties } } });
};

describe('the unit of mini-batches', () => {
  it.each([
    ['files', 10],
    ['records', 10_000],
    ['bytes', 16 * 1024 * 1024],
  ])('%s has a size of its own where none is sent: %i', async (name, miniBatchSize) => {
    expect((await put(unit(name))).body).toMatchObject({ properties: { miniBatchSize, ...unit(name) } });
  });

  it('of a deployment, or else of an invocation, is that of its jobs', async () => {
    await put(unit('records', 500));
    const job = async (properties = {}) => {
      const { body } = await invoke(properties);
      const spec = await world.jobs.spec((body as { name: string }).name);
      return [spec?.extensions.miniBatchUnit, spec?.settings.miniBatchSize];
    };
    expect(await job()).toEqual(['records', 500]);
    expect(await job(unit('bytes', 65_536))).toEqual(['bytes', 65_536]);
    expect(await job(unit('files'))).toEqual(['files', 500]);
  });

  it.each([
    ['bytes', 10, 'must be at least 65536, because batchpoint.miniBatchUnit is bytes'],
    ['bytes', 65_535, 'must be at least 65536, because batchpoint.miniBatchUnit is bytes'],
    ['files', 1_000_001, 'must be at most 1000000 files'],
  ])('%s has no size of %i', async (name, miniBatchSize, why) => {
    const before = world.writes.length;
    for (const send of [put, patch, invoke])
      expect(errorOf(await send(unit(name, miniBatchSize)))).toEqual({
        status: 400,
        code: 'UserError',
        target: 'properties.miniBatchSize',
        message: `properties.miniBatchSize: ${why}`,
      });
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('has no other name', async () => {
    for (const send of [put, patch, invoke])
      expect(errorOf(await send(unit('rows', 5)))).toMatchObject({
        status: 400,
        target: `properties.properties.${UNIT}`,
      });
  });
});

describe('what scores', () => {
  it('has to read parts of files where they are cut', async () => {
    await put(unit('records'));
    await put(unit('files'));
    await patch({ properties: { [UNIT]: 'bytes' }, miniBatchSize: 100_000 });
    expect(proved.map(({ cutsFiles }) => cutsFiles)).toEqual([true, undefined, true]);
    fault = new ModelFault('it takes whole files');
    const refused = { status: 400, target: 'properties.model', message: 'it takes whole files' };
    expect(errorOf(await put(unit('records')))).toMatchObject(refused);
    expect(errorOf(await patch(unit('records')))).toMatchObject(refused);
  });

  it('is never a script, also where an invocation wants it', async () => {
    await world.dataBlobs.write({ container: 'data', name: 'src/score.py' }, Buffer.from(''));
    const codeUri = 'azureml://datastores/workspaceblobstore/paths/src';
    await world.call('PUT', CODE, { body: { properties: { codeUri } } });
    await put({ codeConfiguration: { codeId: CODE, scoringScript: 'score.py' } });
    expect(errorOf(await invoke(unit('records')))).toEqual({
      status: 400,
      code: 'UserError',
      target: 'properties.properties',
      message:
        "A scoring script takes whole files: set the property batchpoint.miniBatchUnit to 'files', or score an ONNX model without code.",
    });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { Scorer } from '../../../shared/domain/scorer.ts';
import { ModelFault } from '../../../shared/scoring/engine.ts';
import { WORKSPACE, deployHeart, errorOf, worldMaker, type World } from './api-world.ts';

const BLUE = `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`;
const CODE = `${WORKSPACE}/codes/scoring/versions/1`;
const ENVIRONMENT = `${WORKSPACE}/environments/sklearn/versions/7`;
const codeConfiguration = { codeId: CODE, scoringScript: 'score.py' };
const model = { assetId: 'azureml:heart:1' };

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
  for (const path of ['score.py', 'lib/score.mts', 'README.md'])
    await world.dataBlobs.write({ container: 'data', name: `src/${path}` }, Buffer.from(path));
  const codeUri = 'azureml://datastores/workspaceblobstore/paths/src';
  await world.call('PUT', CODE, { body: { properties: { codeUri } } });
  await world.call('PUT', ENVIRONMENT, { body: { properties: { condaFile: 'name: x\n' } } });
  proved.length = 0;
});

const put = (properties: object) => world.call('PUT', BLUE, { body: { properties: { model, ...properties } } });
const patch = (properties: object) => world.call('PATCH', BLUE, { body: { properties } });
const shown = async () => (await world.call('GET', BLUE)).body as { properties: Record<string, unknown> };

/** What the next job is scored with. */
async function jobOf(): Promise<object | undefined> {
  await world.dataBlobs.write({ container: 'data', name: 'in/a.csv' }, Buffer.from('1'));
  const uri = 'azureml://datastores/workspaceblobstore/paths/in';
  const invoked = await world.call('POST', '/endpoints/heart-ep/jobs', {
    body: { properties: { inputData: { in: { jobInputType: 'UriFolder', uri } } } },
  });
  const spec = await world.jobs.spec((invoked.body as { name: string }).name);
  return spec && { code: spec.code, environment: spec.environment, variables: spec.environmentVariables };
}

describe('a deployment with code', () => {
  it('keeps what was sent, and its jobs hold what it named', async () => {
    const sent = {
      codeConfiguration,
      environmentId: ENVIRONMENT,
      environmentVariables: { LEVEL: '3' },
      outputAction: 'SummaryOnly',
    };
    expect((await put(sent)).status).toBe(200);
    expect((await shown()).properties).toMatchObject(sent);
    expect(await jobOf()).toEqual({
      code: { name: 'scoring', version: '1', script: 'score.py' },
      environment: 'azureml:sklearn:7',
      variables: { LEVEL: '3' },
    });
  });

  it('is proved with all that it scores with', async () => {
    await put({ codeConfiguration, maxConcurrencyPerInstance: 3, loggingLevel: 'Debug' });
    expect(proved).toEqual([
      {
        model: { name: 'heart', version: '1' },
        code: { name: 'scoring', version: '1', script: 'score.py' },
        environmentVariables: {},
        loggingLevel: 'Debug',
        workers: 3,
      },
    ]);
  });

  it.each(['azureml:scoring:1', 'azureml:SCORING@latest', `azureml:${CODE}`])(
    'takes the code as %s',
    async (codeId) => {
      await put({ codeConfiguration: { codeId, scoringScript: './lib/score.mts' } });
      expect(await jobOf()).toMatchObject({ code: { name: 'scoring', version: '1', script: 'lib/score.mts' } });
    },
  );

  it.each([
    ['azureml:sklearn:7', 'azureml:sklearn:7'],
    ['azureml:SKLEARN@latest', 'azureml:sklearn:7'],
    ['azureml:AzureML-Minimal:3', 'azureml:AzureML-Minimal:3'],
    ['AzureML-Minimal', 'azureml:AzureML-Minimal@latest'],
    [`${WORKSPACE}/environments/AzureML-Minimal/versions/3`, 'azureml:AzureML-Minimal:3'],
    [
      'azureml://registries/azureml/environments/sklearn-1.5/labels/latest',
      'azureml://registries/azureml/environments/sklearn-1.5/labels/latest',
    ],
  ])('takes the environment as %s', async (environmentId, environment) => {
    expect((await put({ codeConfiguration, environmentId })).status).toBe(200);
    expect((await shown()).properties['environmentId']).toBe(environmentId);
    expect(await jobOf()).toMatchObject({ environment });
  });

  it('keeps the version that was the latest one when it was made', async () => {
    await put({ codeConfiguration, environmentId: 'azureml:sklearn@latest' });
    world.clock.time += 1000;
    await world.call('PUT', ENVIRONMENT.replace(/7$/, '8'), { body: { properties: { condaFile: 'name: y\n' } } });
    expect(await jobOf()).toMatchObject({ environment: 'azureml:sklearn:7' });
    expect(errorOf(await world.call('DELETE', ENVIRONMENT))).toMatchObject({ status: 409 });
  });

  it('changes by PATCH, proved anew; null takes code and environment away', async () => {
    await put({ codeConfiguration, environmentId: ENVIRONMENT });
    proved.length = 0;
    await patch({ codeConfiguration: { ...codeConfiguration, scoringScript: 'lib/score.mts' } });
    expect(await jobOf()).toMatchObject({ code: { script: 'lib/score.mts' }, environment: 'azureml:sklearn:7' });
    await patch({ description: 'only words' });
    await patch({ codeConfiguration: null, environmentId: null });
    expect(await jobOf()).toEqual({ code: undefined, environment: undefined, variables: {} });
    expect(proved.map(({ code }) => code?.script)).toEqual(['lib/score.mts', undefined]);
  });
});

describe('refused, and nothing changes:', () => {
  const configured = (change: object) => ({ codeConfiguration: { ...codeConfiguration, ...change } });
  it.each<[string, object, string]>([
    ['a script that the code lacks', configured({ scoringScript: 'main.py' }), 'codeConfiguration.scoringScript'],
    ['a way out of the code', configured({ scoringScript: '../1/score.py' }), 'codeConfiguration.scoringScript'],
    ['a path from the root', configured({ scoringScript: '/score.py' }), 'codeConfiguration.scoringScript'],
    ['a script of Windows', configured({ scoringScript: 'lib\\score.mts' }), 'codeConfiguration.scoringScript'],
    ['a script in no language', configured({ scoringScript: 'README.md' }), 'codeConfiguration.scoringScript'],
    ['no code', configured({ codeId: null }), 'codeConfiguration.codeId'],
    ['code that is not there', configured({ codeId: 'azureml:scoring:2' }), 'codeConfiguration.codeId'],
    ['code of another kind', configured({ codeId: ENVIRONMENT }), 'codeConfiguration.codeId'],
    ['code as a path', configured({ codeId: './src' }), 'codeConfiguration.codeId'],
    ['an environment that is not there', { environmentId: 'azureml:sklearn:9' }, 'environmentId'],
    ['an environment in another kind of id', { environmentId: CODE }, 'environmentId'],
    [
      'a model of a registry as the environment',
      { environmentId: 'azureml://registries/r/models/e/versions/1' },
      'environmentId',
    ],
    [
      'our own variable',
      { environmentVariables: { azureml_model_dir: 'x' } },
      'environmentVariables.azureml_model_dir',
    ],
    ['a variable that cannot be', { environmentVariables: { 'A=B': 'x' } }, 'environmentVariables.A=B'],
    ['a variable with a zero byte', { environmentVariables: { A: 'x\0y' } }, 'environmentVariables.A'],
    ['a summary without code', { outputAction: 'SummaryOnly' }, 'outputAction'],
    ['a timeout that does not fit', { retrySettings: { timeout: 'PT28M41S' } }, 'retrySettings.timeout'],
  ])('%s', async (_what, properties, field) => {
    const before = world.writes.length;
    for (const answer of [await put(properties), await patch(properties)])
      expect(errorOf(answer)).toMatchObject({ status: 400, code: 'UserError', target: `properties.${field}` });
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('a script that is not there is told with the files that are', async () => {
    expect(errorOf(await put(configured({ scoringScript: 'main.py' })))).toMatchObject({
      message:
        "properties.codeConfiguration.scoringScript: 'main.py' is no file of code 'scoring' version '1', which has: README.md, lib/score.mts, score.py.",
    });
  });

  it('what the proof finds', async () => {
    fault = new ModelFault('score.py, line 3: invalid syntax');
    const before = world.writes.length;
    for (const answer of [await put({ codeConfiguration }), await patch({ codeConfiguration })])
      expect(errorOf(answer)).toEqual({
        status: 400,
        code: 'UserError',
        target: 'properties.codeConfiguration',
        message: 'score.py, line 3: invalid syntax',
      });
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('to take the code of a summary away', async () => {
    await put({ codeConfiguration, outputAction: 'SummaryOnly' });
    const answer = await patch({ codeConfiguration: null });
    expect(errorOf(answer)).toMatchObject({ status: 400, target: 'properties.outputAction' });
  });
});

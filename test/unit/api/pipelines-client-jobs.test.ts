import { beforeEach, describe, expect, it } from 'vitest';
import type { PipelineSpec } from '../../../shared/domain/pipeline/pipeline-job.ts';
import { uuidOf } from '../../../shared/domain/uuid.ts';
import { deployHeart, WORKSPACE, worldMaker, type World } from './api-world.ts';
import { bodiesOf, furnish, madeJob, replay, STORE } from './pipelines-world.ts';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await furnish(world);
});

const jobUrl = (name: string) => `${WORKSPACE}/jobs/${name}`;

/** Where the outputs of a step go, without the datastore. */
const placesOf = (spec: PipelineSpec, path: string): Record<string, string> => {
  const outputs = Object.entries(spec.steps.find((step) => step.path === path)?.outputs ?? {});
  return Object.fromEntries(outputs.map(([name, { uri }]) => [name, uri.replace(`${STORE}/`, '')]));
};

describe('what the client sends', () => {
  it('for a job of YAML becomes its steps, and is shown as it was sent', async () => {
    await deployHeart(world);
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/heart-of-all`, { body: {} });
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/heart-of-all/deployments/blue`, {
      body: { properties: { model: { assetId: 'azureml:heart:1' } } },
    });
    await replay(world, 'command-component-inline-environment');
    await replay(world, 'pipeline-component');
    const answer = await replay(world, 'pipeline-job');
    const spec = await madeJob(world, answer);
    const sent = bodiesOf('pipeline-job').at(-1)?.body.properties ?? {};
    expect(answer.body).toMatchObject({
      name: 'heart-run',
      properties: {
        ...{ jobType: 'Pipeline', status: 'Preparing', displayName: 'Train on raw data', experimentName: 'heart' },
        ...{ jobs: sent['jobs'], inputs: sent['inputs'], outputs: sent['outputs'], settings: sent['settings'] },
      },
    });
    expect((await world.call('GET', jobUrl('heart-run'))).body).toEqual(answer.body);
    expect(world.started).toEqual(['heart-run']);
    expect(Object.fromEntries(spec.steps.map((one) => [one.path, one.dependsOn]))).toEqual({
      prepare_more: [],
      inline: [],
      'train_all.prepare': [],
      'train_all.train': ['train_all.prepare'],
      score: ['prepare_more'],
      score_inline: ['prepare_more'],
    });
    expect(spec.steps.find((one) => one.path === 'prepare_more')).toMatchObject({
      displayName: 'Prepare heart data',
      component: 'prepare_more',
      run: uuidOf('heart-run/prepare_more'),
      dependents: ['score', 'score_inline'],
      inputs: {
        data: { from: 'place', type: 'uri_folder', uri: `${STORE}/more` },
        transformations: {
          from: 'model',
          type: 'custom_model',
          model: { name: 'heart-transformations', version: '2' },
        },
        rows: { from: 'literal', value: '10' },
      },
      work: { environment: { reference: 'azureml:heart-env:4' }, timeoutSeconds: 60 },
    });
    expect(spec.steps.find((one) => one.path === 'score')).toMatchObject({
      inputs: { files: { from: 'step', step: 'prepare_more', output: 'prepared_data' } },
      work: { kind: 'scoring', endpoint: 'heart-of-all', deployment: 'blue', input: 'files', output: 'score' },
    });
    expect(placesOf(spec, 'train_all.train')).toEqual({
      model: 'runs/model/',
      evaluation_results: 'results/',
    });
  });

  it('for a job of nested pipelines places what it says and leaves the rest to the runs of the steps', async () => {
    await replay(world, 'command-component-inline-environment');
    await replay(world, 'dsl-component');
    const spec = await madeJob(world, await replay(world, 'dsl-job'));
    expect(spec.outputs).toEqual({
      model: { type: 'mlflow_model', uri: `${STORE}/out/`, step: 'inner.second', output: 'model' },
    });
    expect(placesOf(spec, 'inner.second')).toEqual({
      model: 'out/',
      evaluation_results: `azureml/${uuidOf('by-code/inner.second')}/evaluation_results/`,
    });
    expect(placesOf(spec, 'again.greeting')).toEqual({ note: `azureml/${uuidOf('by-code/again.greeting')}/note` });
    // force_rerun
    expect(new Set(spec.steps.map(({ reusable }) => reusable))).toEqual(new Set([false]));
  });

  it('for a command becomes a pipeline of one step that is shown as a command', async () => {
    const answer = await replay(world, 'command-job');
    const spec = await madeJob(world, answer);
    const sent = bodiesOf('command-job').at(-1)?.body.properties ?? {};
    const { jobType, command, codeId, environmentId, environmentVariables, limits, computeId } = sent;
    expect(answer.body).toMatchObject({
      properties: {
        jobType,
        command,
        codeId,
        environmentId,
        environmentVariables,
        limits,
        computeId,
        status: 'Preparing',
      },
    });
    expect(spec.steps).toEqual([
      {
        path: 'command',
        displayName: 'one-command',
        component: 'command',
        run: uuidOf('one-command/command'),
        dependsOn: [],
        dependents: [],
        inputs: {
          data: { from: 'place', type: 'uri_file', uri: `${STORE}/a.csv` },
          n: { from: 'literal', value: '3' },
          f: { from: 'literal', value: 'True' },
        },
        outputs: { out: { type: 'uri_folder', uri: `${STORE}/azureml/one-command/out/` } },
        work: {
          kind: 'command',
          command,
          inputNames: ['data', 'n', 'f'],
          code: { name: '24669657-edbd-47cc-9a30-242aae843868', version: '1' },
          environment: { reference: 'azureml:heart-env:1' },
          environmentVariables: { A: '1' },
          timeoutSeconds: 120,
        },
        reusable: false,
      },
    ]);
    const ofType = async (type: string) =>
      ((await world.call('GET', `${WORKSPACE}/jobs?jobType=${type}`)).body as { value: unknown[] }).value.length;
    expect([await ofType('Command'), await ofType('Pipeline')]).toEqual([1, 0]);
  });

  it('for a job of a component gets the defaults of what it does not give', async () => {
    await replay(world, 'command-component-inline-environment');
    await replay(world, 'pipeline-component');
    const spec = await madeJob(world, await replay(world, 'component-job'));
    expect(spec.steps.map((one) => [one.path, one.inputs, one.reusable])).toEqual([
      [
        'prepare',
        {
          data: { from: 'place', type: 'uri_folder', uri: `${STORE}/heart/` },
          categorical_encoding: { from: 'literal', value: 'onehot' },
          eval_size: { from: 'literal', value: '0.2' },
          rows: { from: 'literal', value: '50' },
          shuffle: { from: 'literal', value: 'True' },
        },
        true,
      ],
      [
        'train',
        {
          data: { from: 'step', type: 'uri_folder', step: 'prepare', output: 'prepared_data' },
          target_column: { from: 'literal', value: 'target-onehot' },
          eval_size: { from: 'literal', value: '0.3' },
        },
        false,
      ],
    ]);
    expect(placesOf(spec, 'train')).toEqual({
      model: 'azureml/of-a-component/model/',
      evaluation_results: 'azureml/of-a-component/evaluation_results/',
    });
  });
});

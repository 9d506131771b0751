import { beforeEach, describe, expect, it } from 'vitest';
import type { PipelineSpec } from '../../../shared/domain/pipeline/pipeline-job.ts';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { uuidOf } from '../../../shared/domain/uuid.ts';
import { CALLER, deployHeart, errorOf, NOW, WORKSPACE, worldMaker, type Answer, type World } from './api-world.ts';
import { bodiesOf, furnish, registerComponent, replay, STEP, STORE } from './pipelines-world.ts';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await furnish(world);
});

const jobUrl = (name: string) => `${WORKSPACE}/jobs/${name}`;
const put = (name: string, properties: object) =>
  world.call('PUT', jobUrl(name), { body: { properties: { jobType: 'Pipeline', ...properties } } });

async function specOf(answer: Answer): Promise<PipelineSpec> {
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  const spec = await world.pipelines.spec((answer.body as { name: string }).name);
  if (!spec) throw new Error('the job is not stored');
  return spec;
}

/** Where the outputs of a step go, without the datastore. */
const placesOf = (spec: PipelineSpec, path: string): Record<string, string> => {
  const outputs = Object.entries(spec.steps.find((step) => step.path === path)?.outputs ?? {});
  return Object.fromEntries(outputs.map(([name, { uri }]) => [name, uri.replace(`${STORE}/`, '')]));
};

const path = (uri: string, jobInputType = 'uri_folder') => ({ jobInputType, uri });
const value = (text: string) => ({ jobInputType: 'literal', value: text });
/** One step `a` of the tests' own component. */
const step = (more: object = {}) => ({
  type: 'command',
  component: STEP,
  inputs: { data: '${{parent.inputs.raw}}' },
  ...more,
});
const raw = path(`${STORE}/heart`);

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
    const spec = await specOf(answer);
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
      reusable: false,
    });
    expect(placesOf(spec, 'train_all.train')).toEqual({
      model: 'runs/model/',
      evaluation_results: 'results/',
    });
  });

  it('for a job of nested pipelines places what it says and leaves the rest to the runs of the steps', async () => {
    await replay(world, 'command-component-inline-environment');
    await replay(world, 'dsl-component');
    const spec = await specOf(await replay(world, 'dsl-job'));
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
    const spec = await specOf(answer);
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
    const spec = await specOf(await replay(world, 'component-job'));
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

describe('a job', () => {
  it('has what was not said filled in, and a name in lower case', async () => {
    const spec = await specOf(await put('Blue_Store-1', { inputs: { raw }, jobs: { a: step() } }));
    expect(spec).toMatchObject({
      ...{ name: 'blue_store-1', displayName: 'blue_store-1', experimentName: 'Default', description: null },
      ...{ endpoint: null, deployment: null, createdBy: CALLER, createdAt: NOW, continueOnStepFailure: false },
    });
    expect(spec.steps[0]).toMatchObject({
      path: 'a',
      displayName: 'a',
      component: 'a',
      inputs: {
        data: { from: 'place', type: 'uri_folder', uri: `${STORE}/heart` },
        rate: { from: 'literal', value: '0.1' },
      },
      reusable: true,
    });
  });

  it('that is put again is the same job; what describes it changes, what it does stays', async () => {
    const body = { inputs: { raw }, jobs: { a: step() } };
    expect((await put('mine', body)).status).toBe(201);
    expect((await put('mine', body)).status).toBe(200);
    const changed = await put('MINE', { tags: { team: 'x' }, description: 'why', isArchived: true, jobs: {} });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({
      properties: { tags: { team: 'x' }, description: 'why', isArchived: true, jobs: body.jobs },
    });
    expect(world.started).toEqual(['mine']);
  });

  it('cannot have the name of another job’s child run', async () => {
    await put('mine', { inputs: { raw }, jobs: { a: step() } });
    const run = uuidOf('mine/a');
    expect(errorOf(await put(run, { inputs: { raw }, jobs: { a: step() } }))).toMatchObject({
      status: 409,
      message: `'${run}' is the child run of job 'mine'.`,
    });
  });

  it.each([
    ['a data asset by its name', path('azureml:heart-data:1'), `${STORE}/heart/`],
    ['the latest version of one', path('azureml:heart-data@latest'), `${STORE}/heart/`],
    ['one by its ARM id', path(`${WORKSPACE}/data/heart-data/versions/1`), `${STORE}/heart/`],
    ['an address in a datastore', path('https://acct.blob.core.windows.net/data/heart/'), `${STORE}/heart/`],
  ])('reads %s', async (_what, input, uri) => {
    const spec = await specOf(await put('mine', { inputs: { raw: input }, jobs: { a: step() } }));
    expect(spec.steps[0]?.inputs['data']).toEqual({ from: 'place', type: 'uri_folder', uri });
  });

  it.each([
    ['by its name', path('azureml:heart-transformations:2', 'custom_model')],
    ['by its ARM id', path(`azureml:${WORKSPACE}/models/heart-transformations/versions/2`)],
  ])('reads a model %s', async (_what, input) => {
    const spec = await specOf(await put('mine', { inputs: { raw: input }, jobs: { a: step() } }));
    expect(spec.steps[0]?.inputs['data']).toEqual({
      from: 'model',
      type: input.jobInputType,
      model: { name: 'heart-transformations', version: '2' },
    });
  });

  it('reads what an earlier job, or a step of it, has written', async () => {
    const bound = step({ outputs: { out: '${{parent.outputs.prepared}}' } });
    await put('first', { inputs: { raw }, outputs: { prepared: {} }, jobs: { a: bound } });
    const second = (output: string) =>
      put(`second${output.length}`, { inputs: { raw: path(`azureml://jobs/${output}`) }, jobs: { a: step() } });
    const early = await second('first/outputs/prepared');
    expect(errorOf(early)).toMatchObject({
      status: 400,
      target: 'properties.inputs.raw.uri',
      message: "properties.inputs.raw.uri: job 'first' has not written its output 'prepared' yet.",
    });
    await world.pipelines.changeStep('first', 'a', (record) => ({
      ...{ state: 'completed', path: 'a', run: record.run, settled: [], owner: null, startedAt: NOW, endedAt: NOW },
      ...{ metrics: {}, parameters: {}, versions: {}, outputs: { out: { type: 'uri_folder', uri: `${STORE}/x/` } } },
    }));
    const places = [];
    for (const output of [
      'FIRST/outputs/Prepared',
      'first/outputs/prepared/paths/a/b',
      `${uuidOf('first/a')}/outputs/out`,
    ])
      places.push((await specOf(await second(output))).steps[0]?.inputs['data']);
    const at = (uri: string) => ({ from: 'place', type: 'uri_folder', uri: `${STORE}/azureml/first/prepared/${uri}` });
    expect(places).toEqual([at(''), at('a/b'), at('')]);
  });

  it('writes to the datastore that is its default, and shows one output under all of its names', async () => {
    const other = 'azureml://datastores/other/paths';
    world = await freshWorld({
      open: (name) => ({
        address: { name, account: 'acct', container: 'more', endpoint: 'https://acct.blob.core.windows.net' },
        blobs: memoryBlobs(),
      }),
    });
    const made = await world.call('PUT', `${WORKSPACE}/datastores/other`, {
      body: { properties: { datastoreType: 'AzureBlob', accountName: 'acct', containerName: 'more' } },
    });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const jobs = { a: step({ outputs: { out: '${{parent.outputs.one}}' } }) };
    const outputs = { one: {}, two: '${{parent.jobs.a.outputs.out}}' };
    const settings = { default_datastore: `${WORKSPACE}/datastores/other`, continue_on_step_failure: true };
    const spec = await specOf(await put('mine', { inputs: { raw }, outputs, jobs, settings }));
    const place = { type: 'uri_folder', uri: `${other}/azureml/mine/one/`, step: 'a', output: 'out' };
    expect(spec).toMatchObject({ outputs: { one: place, two: place }, continueOnStepFailure: true });
  });

  it.each(['azureml:cpu', 'serverless', `${WORKSPACE}/computes/cpu`])('runs on %s', async (computeId) => {
    const jobs = { a: step({ computeId }) };
    const answer = await put('mine', {
      inputs: { raw, rate: value('1') },
      jobs,
      settings: { default_compute: computeId },
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  });

  it('runs a registered component that it names by its label', async () => {
    expect((await registerComponent(world, 'copy', STEP)).status).toBe(201);
    const jobs = {
      a: { type: 'command', componentId: 'azureml:copy@latest', inputs: { data: '${{parent.inputs.raw}}' } },
    };
    const spec = await specOf(await put('mine', { inputs: { raw }, jobs }));
    expect(spec.steps[0]?.work).toMatchObject({ command: STEP.command });
  });
});

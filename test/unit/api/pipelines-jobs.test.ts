import { beforeEach, describe, expect, it } from 'vitest';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { uuidOf } from '../../../shared/domain/uuid.ts';
import { CALLER, errorOf, NOW, WORKSPACE, worldMaker, type Answer, type World } from './api-world.ts';
import { copyStep, furnish, madeJob, registerComponent, RAW, STEP, STORE } from './pipelines-world.ts';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await furnish(world);
});

const jobUrl = (name: string) => `${WORKSPACE}/jobs/${name}`;
const put = (name: string, properties: object) =>
  world.call('PUT', jobUrl(name), { body: { properties: { jobType: 'Pipeline', ...properties } } });

const specOf = (answer: Answer) => madeJob(world, answer);

const path = (uri: string, jobInputType = 'uri_folder') => ({ jobInputType, uri });
const value = (text: string) => ({ jobInputType: 'literal', value: text });
describe('a job', () => {
  it('has what was not said filled in, and a name in lower case', async () => {
    const spec = await specOf(await put('Blue_Store-1', { inputs: { raw: RAW }, jobs: { a: copyStep() } }));
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
    const body = { inputs: { raw: RAW }, jobs: { a: copyStep() } };
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
    await put('mine', { inputs: { raw: RAW }, jobs: { a: copyStep() } });
    const run = uuidOf('mine/a');
    expect(errorOf(await put(run, { inputs: { raw: RAW }, jobs: { a: copyStep() } }))).toMatchObject({
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
    const spec = await specOf(await put('mine', { inputs: { raw: input }, jobs: { a: copyStep() } }));
    expect(spec.steps[0]?.inputs['data']).toEqual({ from: 'place', type: 'uri_folder', uri });
  });

  it.each([
    ['by its name', path('azureml:heart-transformations:2', 'custom_model')],
    ['by its ARM id', path(`azureml:${WORKSPACE}/models/heart-transformations/versions/2`)],
  ])('reads a model %s', async (_what, input) => {
    const spec = await specOf(await put('mine', { inputs: { raw: input }, jobs: { a: copyStep() } }));
    expect(spec.steps[0]?.inputs['data']).toEqual({
      from: 'model',
      type: input.jobInputType,
      model: { name: 'heart-transformations', version: '2' },
    });
  });

  it('reads what an earlier job, or a step of it, has written', async () => {
    const bound = copyStep({ outputs: { out: '${{parent.outputs.prepared}}' } });
    await put('first', { inputs: { raw: RAW }, outputs: { prepared: {} }, jobs: { a: bound } });
    const second = (output: string) =>
      put(`second${output.length}`, { inputs: { raw: path(`azureml://jobs/${output}`) }, jobs: { a: copyStep() } });
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
    const jobs = { a: copyStep({ outputs: { out: '${{parent.outputs.one}}' } }) };
    const outputs = { one: {}, two: '${{parent.jobs.a.outputs.out}}' };
    const settings = { default_datastore: `${WORKSPACE}/datastores/other`, continue_on_step_failure: true };
    const spec = await specOf(await put('mine', { inputs: { raw: RAW }, outputs, jobs, settings }));
    const place = { type: 'uri_folder', uri: `${other}/azureml/mine/one/`, step: 'a', output: 'out' };
    expect(spec).toMatchObject({ outputs: { one: place, two: place }, continueOnStepFailure: true });
  });

  it.each(['azureml:cpu', 'serverless', `${WORKSPACE}/computes/cpu`])('runs on %s', async (computeId) => {
    const jobs = { a: copyStep({ computeId }) };
    const answer = await put('mine', {
      inputs: { raw: RAW, rate: value('1') },
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
    const spec = await specOf(await put('mine', { inputs: { raw: RAW }, jobs }));
    expect(spec.steps[0]?.work).toMatchObject({ command: STEP.command });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, NOW, WORKSPACE, worldMaker, type Answer, type World } from './api-world.ts';
import { configuration, FLOW, furnish, jobRefusal, registerComponent, STORE } from './pipelines-world.ts';

const freshWorld = worldMaker();
let world: World;

const ENDPOINT = `${WORKSPACE}/batchEndpoints/heart`;
const ORDINAL = `${ENDPOINT}/deployments/ordinal`;
const JOBS = '/endpoints/heart/jobs';

beforeEach(async () => {
  world = await freshWorld();
  await furnish(world);
  await world.call('PUT', ENDPOINT, { body: {} });
  await registerComponent(world, 'flow', FLOW);
});

const deploy = (properties: object, path = ORDINAL) => world.call('PUT', path, { body: { properties } });
const deployFlow = (path = ORDINAL, settings: object = {}) =>
  deploy({ deploymentConfiguration: configuration('azureml:flow:1', settings) }, path);
const choose = (deploymentName: string) =>
  world.call('PATCH', ENDPOINT, { body: { properties: { defaults: { deploymentName } } } });
const invoke = (properties: object, headers: Record<string, string> = {}) =>
  world.call('POST', JOBS, { body: { properties }, headers });
const nameOf = ({ body }: Answer): string => (body as { name: string }).name;
const raw = { jobInputType: 'UriFolder', uri: `${STORE}/heart/` };

describe('an invocation', () => {
  beforeEach(async () => {
    await deployFlow(ORDINAL, { continue_on_step_failure: true });
    await choose('ordinal');
  });

  it('with no more than what is required gets defaults, and its outputs their places', async () => {
    const answer = await invoke({ inputData: { raw } });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    const name = nameOf(answer);
    expect(name).toMatch(/^batchjob-[0-9a-f-]{36}$/);
    expect(answer.headers.get('azureml-model-deployment')).toBe('ordinal');
    expect(answer.body).toMatchObject({
      properties: {
        status: 'Preparing',
        inputData: { raw },
        outputData: {},
        tags: { 'azureml.jobtype': 'azureml.pipelinejob', 'azureml.deploymentname': 'ordinal' },
      },
    });
    const spec = await world.pipelines.spec(name);
    expect(spec).toMatchObject({
      ...{ endpoint: 'heart', deployment: 'ordinal', experimentName: 'heart', displayName: name },
      continueOnStepFailure: true,
      outputs: {
        out: { type: 'uri_folder', uri: `${STORE}/azureml/${name}/out/`, step: 'first', output: 'out' },
        copy: { type: 'uri_folder', uri: `${STORE}/azureml/${name}/copy/`, step: 'second', output: 'out' },
      },
    });
    expect(spec?.steps.map(({ path, inputs }) => [path, inputs])).toEqual([
      [
        'first',
        {
          data: { from: 'place', type: 'uri_folder', uri: `${STORE}/heart/` },
          rate: { from: 'literal', value: '0.2' },
          kind: { from: 'literal', value: 'x' },
        },
      ],
      [
        'second',
        {
          data: { from: 'step', type: 'uri_folder', step: 'first', output: 'out' },
          rate: { from: 'literal', value: '0.1' },
        },
      ],
    ]);
    expect(world.started).toEqual([name]);
  });

  it('says what literals are and where outputs go, in any case', async () => {
    const answer = await invoke({
      Name: 'nightly',
      Properties: { experimentName: 'mine' },
      InputData: {
        raw: { JobInputType: 'uriFolder', Uri: raw.uri },
        rate: { JobInputType: 'Literal', Value: 0.5 },
        kind: { JobInputType: 'literal', Value: 'y' },
      },
      OutputData: { out: { JobOutputType: 'UriFolder', Uri: `${STORE}/mine` } },
    });
    const spec = await world.pipelines.spec(nameOf(answer));
    expect(spec).toMatchObject({ displayName: 'nightly', experimentName: 'mine' });
    expect(spec?.steps[0]).toMatchObject({
      inputs: { rate: { from: 'literal', value: '0.5' }, kind: { from: 'literal', value: 'y' } },
      outputs: { out: { type: 'uri_folder', uri: `${STORE}/mine/` } },
    });
    const shown = await world.call('GET', `${WORKSPACE}/jobs/${nameOf(answer)}`);
    expect(shown.body).toMatchObject({
      properties: {
        jobType: 'Pipeline',
        componentId: `${WORKSPACE}/components/flow/versions/1`,
        inputs: {
          raw: { jobInputType: 'uri_folder', uri: raw.uri },
          rate: { jobInputType: 'literal', value: '0.5' },
        },
        outputs: { out: { jobOutputType: 'uri_folder', uri: `${STORE}/mine` } },
      },
    });
  });

  it('without inputs is one of a pipeline that has none', async () => {
    const jobs = { a: { type: 'command', component: { type: 'command', command: 'echo hello' } } };
    expect((await registerComponent(world, 'hello', { type: 'pipeline', jobs })).status).toBe(201);
    await deploy({ deploymentConfiguration: configuration('azureml:hello:1') });
    const answer = await invoke({});
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    expect((await world.pipelines.spec(nameOf(answer)))?.steps).toHaveLength(1);
  });

  it('reaches another deployment by its name, and the default again when that is switched', async () => {
    await deployFlow(`${ENDPOINT}/deployments/onehot`);
    const chosen = async (answer: Answer) => (await world.pipelines.spec(nameOf(answer)))?.deployment;
    expect(await chosen(await invoke({ inputData: { raw } }, { 'azureml-model-deployment': 'onehot' }))).toBe('onehot');
    expect(await chosen(await invoke({ inputData: { raw } }))).toBe('ordinal');
    await choose('onehot');
    expect((await world.call('DELETE', ORDINAL)).status).toBe(202);
    const last = await invoke({ inputData: { raw } });
    expect(await chosen(last)).toBe('onehot');
    expect((await world.call('GET', `${JOBS}/${nameOf(last)}`)).body).toEqual(last.body);
    const listed = (await world.call('GET', JOBS)).body as { value: { name: string }[] };
    expect(listed.value).toHaveLength(3);
    expect((await world.call('DELETE', ENDPOINT)).status).toBe(409);
    for (const { name } of listed.value)
      await world.pipelines.transition(name, ({ createdAt, cancelRequested }) => ({
        ...{ state: 'completed', name, createdAt, cancelRequested, startedAt: NOW, endedAt: NOW },
      }));
    expect((await world.call('DELETE', ENDPOINT)).status).toBe(202);
  });

  it('with the same request id is the same job, even when its deployment is gone', async () => {
    const id = { 'repeatability_request-id': 'one' };
    const first = await invoke({ inputData: { raw } }, id);
    expect(nameOf(await invoke({ inputData: { raw } }, id))).toBe(nameOf(first));
    expect((await invoke({ inputData: { raw }, tags: { a: 'b' } }, id)).status).toBe(409);
    await world.call('DELETE', ORDINAL);
    expect(nameOf(await invoke({ inputData: { raw } }, id))).toBe(nameOf(first));
  });

  it.each<[string, object, [status: number, target: string | undefined, message: string]]>([
    [
      'an input of one of its steps',
      { inputData: { raw, 'first.rate': { jobInputType: 'Literal', value: '1' } } },
      [
        400,
        'properties.inputData.first.rate',
        'is no input of the pipeline (it has raw, rate, kind); inputs of its steps cannot be given',
      ],
    ],
    ['no data', {}, [400, 'properties.inputData.raw', 'is required: a uri_folder']],
    [
      'a literal of another type',
      { inputData: { raw, rate: { jobInputType: 'Literal', value: 'fast' } } },
      [400, 'properties.inputData.rate', "must be a number, not 'fast'"],
    ],
    [
      'a literal that its enum does not have',
      { inputData: { raw, kind: { jobInputType: 'Literal', value: 'z' } } },
      [400, 'properties.inputData.kind', "must be one of x, y, not 'z'"],
    ],
    [
      'a literal that does not fit the step that takes it',
      { inputData: { raw, rate: { jobInputType: 'Literal', value: '2' } } },
      [400, 'component.jobs.first.inputs.rate', 'must be at most 1, not 2'],
    ],
    [
      'a file for a folder',
      { inputData: { raw: { jobInputType: 'UriFile', uri: `${STORE}/heart/a.csv` } } },
      [400, 'properties.inputData.raw', 'takes a uri_folder, not a uri_file'],
    ],
    [
      'an mltable',
      { inputData: { raw: { ...raw, jobInputType: 'MLTable' } } },
      [400, 'properties.inputData.raw.job_input_type', 'mltable is not supported; use uri_folder or uri_file'],
    ],
    [
      'an output that it does not have',
      { inputData: { raw }, outputData: { score: { jobOutputType: 'UriFolder', uri: `${STORE}/x` } } },
      [400, 'properties.outputData.score', 'is no output of the pipeline (it has out, copy)'],
    ],
    [
      'an output elsewhere',
      { inputData: { raw }, outputData: { out: { jobOutputType: 'UriFolder', uri: 'https://a.example/x' } } },
      [
        403,
        'properties.outputData.out.uri',
        "'https://a.example/x' does not lie in a datastore of this workspace, or not where this job may write: below a folder that its deployment declares ('batchpoint.outputs') or that the app setting BATCHPOINT_GRANTS opens to it.",
      ],
    ],
    [
      'the older form of its input',
      { dataset: { dataInputType: 'DataUrl', path: raw.uri } },
      [400, 'properties.dataset', "is for deployments of models; a pipeline takes inputData, by its inputs' own names"],
    ],
  ])('is refused with %s, and nothing is written', async (_what, properties, expected) => {
    const before = world.writes.length;
    const { status, target, message } = errorOf(await invoke(properties)) as {
      status: number;
      target: string;
      message: string;
    };
    expect([status, target, message.replace(`${target}: `, '')]).toEqual(expected);
    expect([world.writes.slice(before), world.started]).toEqual([[], []]);
  });

  it('is not what a step that scores makes', async () => {
    const component = {
      type: 'parallel',
      inputs: { files: { type: 'uri_folder' } },
      outputs: { score: { type: 'uri_folder' } },
      input_data: '${{inputs.files}}',
      task: { type: 'model', model: 'azureml:heart' },
    };
    const jobs = { a: { type: 'parallel', component, inputs: { files: '${{parent.inputs.raw}}' } } };
    expect(await jobRefusal(world, { jobs })).toEqual([
      400,
      'properties.jobs.a.task.model',
      "deployment 'ordinal' of endpoint 'heart' runs a pipeline; a parallel step scores with a model.",
    ]);
  });
});

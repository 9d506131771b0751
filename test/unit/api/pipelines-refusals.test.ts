import { beforeEach, describe, expect, it } from 'vitest';
import { WORKSPACE, worldMaker, type World } from './api-world.ts';
import { copyStep, furnish, jobRefusal, RAW, registerComponent, STEP } from './pipelines-world.ts';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await furnish(world);
});

const literal = (value: string) => ({ jobInputType: 'literal', value });
const command = (more: object) => copyStep({ component: { ...STEP, ...more } });
const refusal = (properties: object) => jobRefusal(world, properties);

describe('a job is refused, and nothing is written, for', () => {
  it.each<[string, object, [status: number, target: string, message: string]]>([
    [
      'a literal of another type',
      {
        inputs: { raw: RAW, rate: literal('fast') },
        jobs: { a: copyStep({ inputs: { data: '${{parent.inputs.raw}}', rate: '${{parent.inputs.rate}}' } }) },
      },
      [400, 'properties.jobs.a.inputs.rate', "must be a number, not 'fast'"],
    ],
    [
      'a literal that its enum does not have',
      {
        jobs: { a: command({ inputs: { ...STEP.inputs, kind: { type: 'string', enum: ['x', 'y'], default: 'z' } } }) },
      },
      [400, 'properties.jobs.a.component.inputs.kind.default', "must be one of x, y, not 'z'"],
    ],
    [
      'a literal beyond its limit',
      { jobs: { a: copyStep({ inputs: { data: '${{parent.inputs.raw}}', rate: '1.5' } }) } },
      [400, 'properties.jobs.a.inputs.rate', 'must be at most 1, not 1.5'],
    ],
    [
      'an input that the component does not have',
      { jobs: { a: copyStep({ inputs: { data: '${{parent.inputs.raw}}', speed: '1' } }) } },
      [400, 'properties.jobs.a.inputs.speed', 'is no input of the component (it has data, rate)'],
    ],
    [
      'an input that is missing',
      { jobs: { a: copyStep({ inputs: {} }) } },
      [400, 'properties.jobs.a.inputs.data', 'is required: a uri_folder'],
    ],
    [
      'a component version that does not exist',
      { jobs: { a: { type: 'command', componentId: 'azureml:copy:9', inputs: {} } } },
      [400, 'properties.jobs.a.componentId', 'the component azureml:copy:9 does not exist'],
    ],
    [
      'a component of another workspace',
      {
        jobs: {
          a: { type: 'command', componentId: WORKSPACE.replace('ws-1', 'ws-2') + '/components/copy/versions/1' },
        },
      },
      [
        400,
        'properties.jobs.a.componentId',
        `the component ${WORKSPACE.replace('ws-1', 'ws-2')}/components/copy/versions/1 does not exist`,
      ],
    ],
    [
      'two steps of one name',
      { jobs: { a: copyStep(), A: copyStep() } },
      [400, 'properties.jobs.A', "has the name of 'a': names count in any case"],
    ],
    [
      'a cycle',
      {
        jobs: {
          a: copyStep({ inputs: { data: '${{parent.jobs.b.outputs.out}}' } }),
          b: copyStep({ inputs: { data: '${{parent.jobs.a.outputs.out}}' } }),
        },
      },
      [400, 'properties.jobs', 'has a cycle: b -> a -> b'],
    ],
    [
      'a binding to nothing',
      { jobs: { a: copyStep({ inputs: { data: '${{parent.jobs.b.outputs.out}}' } }) } },
      [400, 'properties.jobs.a.inputs.data', "the pipeline has no step 'b' (it has a)"],
    ],
    ['no steps', { jobs: {} }, [400, 'properties.jobs', 'must hold at least one step']],
    [
      'a job of another type',
      { jobType: 'Sweep' },
      [400, 'properties.jobType', "'Sweep' jobs are not supported; submit a Pipeline or a Command"],
    ],
    [
      'code that is not registered',
      { jobs: { a: command({ code: 'azureml:none:1' }) } },
      [400, 'properties.jobs.a.code', "code 'none' version '1' is not registered."],
    ],
    [
      'an environment that is not registered',
      { jobs: { a: copyStep({ environment: 'azureml:none:1' }) } },
      [400, 'properties.jobs.a.environment', "environment 'none' version '1' is not registered."],
    ],
    [
      'a variable that is the app’s to set',
      { jobs: { a: copyStep({ environmentVariables: { BATCHPOINT_X: '1' } }) } },
      [
        400,
        'properties.jobs.a.environmentVariables.BATCHPOINT_X',
        'BATCHPOINT_X is set by the app; choose another name.',
      ],
    ],
    [
      'a time limit that the host would cut short',
      { jobs: { a: copyStep({ limits: { timeout: 1721 } }) } },
      [
        400,
        'properties.jobs.a.limits.timeout',
        "must be at most 1720 seconds: a command has to end within the app's functionTimeout (host.json).",
      ],
    ],
    [
      'a compute that is not there',
      { jobs: { a: copyStep() }, settings: { default_compute: 'gpu' } },
      [
        400,
        'properties.settings.default_compute',
        "compute 'gpu' does not exist. Create it with ml_client.compute.begin_create_or_update(AmlCompute(name=\"gpu\", max_instances=4)).result(), or leave it out to run on the app's own instances.",
      ],
    ],
    [
      'a datastore that is not there',
      { jobs: { a: copyStep() }, settings: { default_datastore: 'cellar' } },
      [400, 'properties.settings.default_datastore', "there is no datastore 'cellar' in this workspace."],
    ],
    [
      'a data asset that is not there',
      { inputs: { raw: { ...RAW, uri: 'azureml:heart-data:2' } }, jobs: { a: copyStep() } },
      [400, 'properties.inputs.raw.uri', "data asset 'heart-data' version '2' is not registered."],
    ],
    [
      'a folder as a file',
      { inputs: { raw: { jobInputType: 'uri_file', uri: 'azureml:heart-data:1' } }, jobs: { a: copyStep() } },
      [400, 'properties.inputs.raw.uri', "takes a uri_file, and data asset 'heart-data:1' is a uri_folder."],
    ],
    [
      'a model that is not there',
      { jobs: { a: copyStep({ inputs: { data: { type: 'custom_model', path: 'azureml:scaler:1' } } }) } },
      [400, 'properties.jobs.a.inputs.data.uri', "model 'scaler' version '1' is not registered."],
    ],
    [
      'a place outside of the datastores',
      { inputs: { raw: { ...RAW, uri: 'https://other.blob.core.windows.net/data/x' } }, jobs: { a: copyStep() } },
      [
        403,
        'properties.inputs.raw.uri',
        "'https://other.blob.core.windows.net/data/x' does not lie in a datastore of this workspace, or not where this job may read: below a folder that its deployment declares ('batchpoint.inputs') or that the app setting BATCHPOINT_GRANTS opens to it.",
      ],
    ],
    [
      'an output of a job that is not there',
      { inputs: { raw: { ...RAW, uri: 'azureml://jobs/none/outputs/x' } }, jobs: { a: copyStep() } },
      [400, 'properties.inputs.raw.uri', "there is no job 'none'."],
    ],
    [
      'an endpoint that is not there',
      {
        jobs: {
          a: {
            type: 'parallel',
            component: {
              type: 'parallel',
              inputs: { files: { type: 'uri_folder' } },
              outputs: { score: { type: 'uri_folder' } },
              input_data: '${{inputs.files}}',
              task: { type: 'model', model: 'azureml:nobody/blue' },
            },
            inputs: { files: '${{parent.inputs.raw}}' },
          },
        },
      },
      [400, 'properties.jobs.a.task.model', "there is no endpoint 'nobody'."],
    ],
  ])('%s', async (_what, properties, expected) => {
    expect(await refusal(properties)).toEqual(expected);
  });

  it('all faults of its pipeline at once', async () => {
    const answer = await world.call('PUT', `${WORKSPACE}/jobs/mine`, {
      body: {
        properties: { jobType: 'Pipeline', jobs: { a: copyStep(), b: copyStep({ inputs: { data: '1', x: '2' } }) } },
      },
    });
    const { details } = (answer.body as { error: { details: { target: string }[] } }).error;
    expect(details.map(({ target }) => target)).toEqual([
      'properties.jobs.a.inputs.data',
      'properties.jobs.b.inputs.data',
      'properties.jobs.b.inputs.x',
    ]);
  });

  it.each(['a b', '', 'ä', 'x'.repeat(256), '-x'])('the name %j', async (name) => {
    const before = world.writes.length;
    const answer = await world.call('PUT', `${WORKSPACE}/jobs/${encodeURIComponent(name)}`, {
      body: { properties: { jobType: 'Pipeline', inputs: { raw: RAW }, jobs: { a: copyStep() } } },
    });
    expect([400, 404]).toContain(answer.status);
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('commands where no code is allowed', async () => {
    world = await freshWorld({ allowCode: false });
    await furnish(world);
    expect(await refusal({ jobs: { a: copyStep() } })).toEqual([
      400,
      undefined,
      expect.stringContaining('BATCHPOINT_ALLOW_CODE=true'),
    ]);
    expect((await registerComponent(world, 'copy', STEP)).status).toBe(201);
  });
});

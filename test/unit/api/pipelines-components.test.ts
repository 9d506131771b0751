import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, WORKSPACE, worldMaker, type Answer, type World } from './api-world.ts';
import { furnish, registerComponent, replay, STEP, STORE } from './pipelines-world.ts';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await furnish(world);
});

/** Path and sentence of each fault of a refused component; nothing may be written. */
async function faults(spec: object): Promise<string[]> {
  const before = world.writes.length;
  const { status, body } = await registerComponent(world, 'mine', spec);
  expect(status).toBe(400);
  expect(world.writes.slice(before)).toEqual([]);
  const { error } = body as { error: { message: string; details: { message: string }[] } };
  const said = error.details.length > 0 ? error.details : [error];
  return said.map(({ message }) => message.replace('properties.componentSpec.', ''));
}

const idOf = ({ body }: Answer): string => (body as { id: string }).id;
const use = { type: 'command', component: 'azureml:copy:1', inputs: { data: '${{parent.inputs.raw}}' } };
const pipeline = (more: object) => ({
  type: 'pipeline',
  inputs: { raw: { type: 'uri_folder' } },
  jobs: { a: use },
  ...more,
});

describe('a component', () => {
  it.each([
    ['command-component', 'heart_prepare'],
    ['command-component-inline-environment', 'heart_train'],
    ['parallel-component', 'heart_score'],
    ['dsl-component', 'heart_dsl'],
  ])('of the client is registered: %s', async (fixture, name) => {
    const answer = await replay(world, fixture);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    expect(idOf(answer)).toContain(`/components/${name}/versions/`);
    const shown = await world.call('GET', idOf(answer));
    expect(shown.body).toEqual(answer.body);
  });

  it('of steps is checked with the components that it names', async () => {
    expect(await faults(pipeline({}))).toEqual(['jobs.a.componentId: the component azureml:copy:1 does not exist']);
    await registerComponent(world, 'copy', STEP);
    expect((await registerComponent(world, 'mine', pipeline({}))).status).toBe(201);
    expect((await registerComponent(world, 'mine', pipeline({}))).status).toBe(200);
  });

  it('is the same one when it is put as the client got it, or under another name in it', async () => {
    await registerComponent(world, 'copy', { ...STEP, name: 'copy', version: '1', _source: 'YAML.COMPONENT' });
    const got = { ...STEP, name: 'azureml_anonymous', id: 'azureml:copy:1', _source: 'REMOTE.WORKSPACE.COMPONENT' };
    expect((await registerComponent(world, 'copy', got)).status).toBe(200);
    expect((await registerComponent(world, 'copy', { ...STEP, command: 'true' })).status).toBe(409);
  });

  it.each([
    ['a parallel step of no task', { type: 'parallel', input_data: '${{inputs.files}}' }, 'task: is required'],
    ['an input of no known type', { ...STEP, inputs: { data: { type: 'table' } } }, 'inputs.data.type: must be one of'],
    [
      'a command that names no input',
      { ...STEP, command: 'echo ${{inputs.x}}' },
      'command: ${{inputs.x}} names no input',
    ],
    [
      'code that is not registered',
      { ...STEP, code: 'azureml:none:1' },
      "code: code 'none' version '1' is not registered.",
    ],
    [
      'an environment that is not registered',
      { ...STEP, environment: 'azureml:none:1' },
      "environment: environment 'none' version '1' is not registered.",
    ],
    [
      'the same in one of its steps',
      pipeline({ jobs: { a: { ...use, component: { ...STEP, environment: 'azureml:none@latest' } } } }),
      "jobs.a.environment: environment 'none' version 'latest' is not registered.",
    ],
    [
      'a variable that is the app’s',
      { ...STEP, environment_variables: { BATCHPOINT_X: 'y' } },
      'environmentVariables.BATCHPOINT_X: BATCHPOINT_X is set by the app; choose another name.',
    ],
    ['no steps', pipeline({ jobs: {} }), 'jobs: must hold at least one step'],
    [
      'a job that is not there',
      { type: 'pipeline', sourceJobId: 'azureml:none', jobs: {} },
      "sourceJobId: there is no pipeline job 'none'.",
    ],
  ])('is refused for %s', async (_what, spec, fault) => {
    const [first, ...others] = await faults(spec);
    expect(first).toContain(fault);
    expect(others.length).toBe(0);
  });

  it('is refused for all that is wrong at once', async () => {
    await registerComponent(world, 'copy', STEP);
    const jobs = {
      a: { ...use, inputs: { data: '${{parent.inputs.none}}' } },
      b: { ...use, outputs: { out: '${{parent.outputs.none}}' } },
      c: { ...use, component: { ...STEP, code: 'azureml:none:1' } },
    };
    expect((await faults(pipeline({ jobs }))).map((fault) => fault.split(':')[0])).toEqual([
      'jobs.a.inputs.data',
      'jobs.b.outputs.out',
      'jobs.c.code',
    ]);
  });

  it('takes Azure ML’s own environments, which nobody registers', async () => {
    for (const [version, environment] of [
      'azureml:AzureML-sklearn-1.5@latest',
      'azureml://registries/azureml/environments/sklearn-1.5/versions/2',
    ].entries())
      expect((await registerComponent(world, 'copy', { ...STEP, environment }, String(version))).status).toBe(201);
  });
});

describe('a component made out of a job', () => {
  const raw = { jobInputType: 'uri_folder', uri: `${STORE}/heart/` };
  const jobOf = (name: string, text: string) =>
    world.call('PUT', `${WORKSPACE}/jobs/${name}`, {
      body: {
        properties: {
          jobType: 'Pipeline',
          inputs: { raw, rate: { jobInputType: 'literal', value: text } },
          outputs: { out: {} },
          jobs: {
            a: {
              type: 'command',
              component: STEP,
              inputs: { data: '${{parent.inputs.raw}}', rate: '${{parent.inputs.rate}}' },
              outputs: { out: '${{parent.outputs.out}}' },
            },
          },
        },
      },
    });
  const make = (job: string) =>
    world.call('PUT', `${WORKSPACE}/components/azureml_anonymous/versions/1`, {
      body: {
        properties: {
          isAnonymous: true,
          componentSpec: {
            name: 'azureml_anonymous',
            version: '1',
            type: 'pipeline',
            jobs: {},
            sourceJobId: `azureml:${job}`,
          },
        },
      },
    });
  const run = async (component: Answer, inputs: object = {}) => {
    const answer = await world.call('PUT', `${WORKSPACE}/jobs/again`, {
      body: { properties: { jobType: 'Pipeline', componentId: idOf(component), jobs: {}, inputs } },
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return (await world.pipelines.spec('again'))?.steps.map(({ path, inputs: given }) => [path, given]);
  };

  it('has its steps, and what it was given where nothing else is', async () => {
    await jobOf('one', '0.5');
    const component = await make('one');
    expect(component.status, JSON.stringify(component.body)).toBe(201);
    expect(await run(component)).toEqual([
      [
        'a',
        {
          data: { from: 'place', type: 'uri_folder', uri: `${STORE}/heart/` },
          rate: { from: 'literal', value: '0.5' },
        },
      ],
    ]);
  });

  it('takes other inputs', async () => {
    await jobOf('one', '0.5');
    const component = await make('one');
    const other = { jobInputType: 'uri_folder', uri: `${STORE}/other/` };
    expect(await run(component, { raw: other, rate: { jobInputType: 'literal', value: '0.7' } })).toEqual([
      [
        'a',
        {
          data: { from: 'place', type: 'uri_folder', uri: `${STORE}/other/` },
          rate: { from: 'literal', value: '0.7' },
        },
      ],
    ]);
  });

  it('has a version of its own, and the same one again', async () => {
    await jobOf('one', '0.1');
    await jobOf('two', '0.2');
    const [one, two, again] = [await make('one'), await make('two'), await make('one')];
    expect([one.status, two.status, again.status]).toEqual([201, 201, 200]);
    expect(idOf(one)).not.toBe(idOf(two));
    expect(idOf(again)).toBe(idOf(one));
  });

  it('is a component of the job’s component when that is what it ran', async () => {
    await registerComponent(world, 'copy', STEP);
    await registerComponent(world, 'flow', pipeline({}));
    const job = await world.call('PUT', `${WORKSPACE}/jobs/one`, {
      body: { properties: { jobType: 'Pipeline', componentId: 'azureml:flow:1', inputs: { raw } } },
    });
    expect(job.status, JSON.stringify(job.body)).toBe(201);
    expect(await run(await make('one'))).toEqual([
      [
        'a',
        {
          data: { from: 'place', type: 'uri_folder', uri: `${STORE}/heart/` },
          rate: { from: 'literal', value: '0.1' },
        },
      ],
    ]);
  });

  it('is refused as the component of a job when it is no pipeline', async () => {
    await registerComponent(world, 'copy', STEP);
    const answer = await world.call('PUT', `${WORKSPACE}/jobs/one`, {
      body: { properties: { jobType: 'Pipeline', componentId: 'azureml:copy:1', inputs: {} } },
    });
    expect(errorOf(answer)).toMatchObject({ status: 400, target: 'properties.componentId' });
  });
});

import type { PipelineSpec } from '../../../shared/domain/pipeline/pipeline-job.ts';
import { captured, WORKSPACE as CAPTURED } from '../domain/pipeline/fixtures.ts';
import { errorOf, makeCompute, WORKSPACE, type Answer, type World } from './api-world.ts';

export const STORE = 'azureml://datastores/workspaceblobstore/paths';

/** What a client would put for one of test/fixtures/pipelines, in its order, for the workspace of these tests. */
export const bodiesOf = (fixture: string): ReturnType<typeof captured> =>
  JSON.parse(JSON.stringify(captured(fixture)).replaceAll(CAPTURED, WORKSPACE)) as ReturnType<typeof captured>;

/** A workspace with what the fixtures name: computes, a data asset, a model, environments, and all their code. */
export async function furnish(world: World): Promise<void> {
  const { call, dataBlobs } = world;
  const put = async (path: string, properties: object) => {
    const { status, body } = await call('PUT', `${WORKSPACE}/${path}`, { body: { properties } });
    if (status !== 201) throw new Error(`${path}: ${JSON.stringify(body)}`);
  };
  await makeCompute(world, 'cpu', 4);
  for (const name of ['heart/a.csv', 'models/scaler/scaler.bin', 'src/prepare.py'])
    await dataBlobs.write({ container: 'data', name }, Buffer.from(name));
  await put('data/heart-data/versions/1', { dataType: 'uri_folder', dataUri: `${STORE}/heart/` });
  await put('models/heart-transformations/versions/2', {
    modelType: 'custom_model',
    modelUri: `${STORE}/models/scaler`,
  });
  for (const version of ['1', '4']) await put(`environments/heart-env/versions/${version}`, { image: 'python:3.11' });
}

/** Registers the code and unnamed environments that bodies name: the client had put them before. */
export async function registerNamed({ call }: World, ...bodies: readonly object[]): Promise<void> {
  const text = JSON.stringify(bodies);
  const kinds = [
    { named: /\/codes\/([\w-]+)\/versions\/1/g, kind: 'codes', properties: { codeUri: `${STORE}/src` } },
    {
      named: /\/environments\/CliV2AnonymousEnvironment\/versions\/(\w+)/g,
      kind: 'environments/CliV2AnonymousEnvironment/versions',
      properties: { condaFile: 'name: x\n' },
    },
  ];
  for (const { named, kind, properties } of kinds)
    for (const name of new Set([...text.matchAll(named)].map(([, found]) => found ?? '')))
      await call('PUT', `${WORKSPACE}/${kind}/${name}${kind === 'codes' ? '/versions/1' : ''}`, {
        body: { properties },
      });
}

/** Puts all that the client put; answers the last answer. Throws when an earlier one was refused. */
export async function replay(world: World, fixture: string): Promise<Answer> {
  const bodies = bodiesOf(fixture);
  await registerNamed(world, bodies);
  let last: Answer | undefined;
  for (const { path, body } of bodies) {
    if (last && last.status >= 300) throw new Error(`before ${path}: ${JSON.stringify(last.body)}`);
    last = await world.call('PUT', `${WORKSPACE}${path}`, { body });
  }
  if (!last) throw new Error(`${fixture} is empty`);
  return last;
}

/** A command component with a folder for an input and one for an output. */
export const STEP = {
  type: 'command',
  command: 'cp -r ${{inputs.data}} ${{outputs.out}} && echo ${{inputs.rate}}',
  inputs: { data: { type: 'uri_folder' }, rate: { type: 'number', default: 0.1, max: 1 } },
  outputs: { out: { type: 'uri_folder' } },
};

export const registerComponent = ({ call }: World, name: string, componentSpec: object, version = '1') =>
  call('PUT', `${WORKSPACE}/components/${name}/versions/${version}`, { body: { properties: { componentSpec } } });

/** A pipeline of two steps whose outputs are the pipeline's. */
export const FLOW = {
  type: 'pipeline',
  inputs: {
    raw: { type: 'uri_folder' },
    rate: { type: 'number', default: 0.2 },
    kind: { type: 'string', default: 'x', enum: ['x', 'y'] },
  },
  outputs: { out: { type: 'uri_folder' }, copy: '${{parent.jobs.second.outputs.out}}' },
  jobs: {
    first: {
      type: 'command',
      component: { ...STEP, inputs: { ...STEP.inputs, kind: { type: 'string', optional: true } } },
      inputs: { data: '${{parent.inputs.raw}}', rate: '${{parent.inputs.rate}}', kind: '${{parent.inputs.kind}}' },
      outputs: { out: '${{parent.outputs.out}}' },
    },
    second: { type: 'command', component: STEP, inputs: { data: '${{parent.jobs.first.outputs.out}}' } },
  },
};

/** `deploymentConfiguration` of a component. */
export const configuration = (assetId = 'azureml:flow:1', settings: object = {}) => ({
  deploymentConfigurationType: 'PipelineComponent',
  componentId: { referenceType: 'Id', assetId },
  settings,
});

/** The stored job of an answer that says that it was made. */
export async function madeJob(world: World, answer: Answer): Promise<PipelineSpec> {
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  const spec = await world.pipelines.spec((answer.body as { name: string }).name);
  if (!spec) throw new Error('the job is not stored');
  return spec;
}

/** A folder as a job's input. */
export const RAW = { jobInputType: 'uri_folder', uri: `${STORE}/heart` };

/** A step of the component above that reads the job's input `raw`. */
export const copyStep = (more: object = {}) => ({
  type: 'command',
  component: STEP,
  inputs: { data: '${{parent.inputs.raw}}' },
  ...more,
});

/** Status, path and sentence with which a job is refused. Throws when something was written or started. */
export async function jobRefusal(world: World, properties: object): Promise<unknown> {
  const before = world.writes.length;
  const answer = await world.call('PUT', `${WORKSPACE}/jobs/mine`, {
    body: { properties: { jobType: 'Pipeline', inputs: { raw: RAW }, ...properties } },
  });
  const written = [...world.writes.slice(before), ...world.started];
  if (written.length > 0) throw new Error(`it was written: ${written.join()}`);
  const { status, target, message } = errorOf(answer) as { status: number; target: string; message: string };
  return [status, target, message.replace(`${target}: `, '')];
}

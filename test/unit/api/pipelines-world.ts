import { captured, WORKSPACE as CAPTURED } from '../domain/pipeline/fixtures.ts';
import { makeCompute, WORKSPACE, type Answer, type World } from './api-world.ts';

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

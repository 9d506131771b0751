import { beforeEach, describe, expect, it } from 'vitest';
import { collect } from '../../../shared/storage/json-blobs.ts';
import { SYSTEM_DATA, WORKSPACE, errorOf, worldMaker, type World } from './api-world.ts';

const HEART = `${WORKSPACE}/models/heart`;
const ONE = `${HEART}/versions/1`;
const URI = 'azureml://datastores/workspaceblobstore/paths';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
});

const upload = (name: string, text = name, metadata: Record<string, string> = {}) =>
  world.dataBlobs.write({ container: 'data', name }, new TextEncoder().encode(text), { metadata });

const register = (path: string, properties: object) => world.call('PUT', path, { body: { properties } });

/** What the app's own container holds of the models. */
async function copies(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name } of world.systemBlobs.list('batchpoint-models')) {
    const found = await world.systemBlobs.read({ container: 'batchpoint-models', name });
    if (found) files[name] = new TextDecoder().decode(await collect(found.body));
  }
  return files;
}

const model = (version: string, more: object) => ({
  id: `${HEART}/versions/${version}`,
  name: version,
  type: 'Microsoft.MachineLearningServices/workspaces/models/versions',
  properties: {
    description: null,
    tags: {},
    properties: {},
    isArchived: false,
    isAnonymous: false,
    flavors: {},
    modelType: 'custom_model',
    jobName: null,
    provisioningState: 'Succeeded',
    ...more,
  },
  systemData: SYSTEM_DATA,
});

describe('a model version', () => {
  it('is a copy of one file', async () => {
    await upload('m/model.onnx', 'bytes');
    const modelUri = `${URI}/m/model.onnx`;
    const made = await register(ONE, { modelUri });
    expect([made.status, made.body]).toEqual([201, model('1', { modelUri })]);
    expect(await copies()).toEqual({ 'heart/1/model.onnx': 'bytes' });
  });

  it.each(['m', 'm/', ''])('is a copy of the folder %j', async (path) => {
    const under = path === '' ? '' : 'm/';
    await upload(`${under}MLmodel`, 'flavors');
    await upload(`${under}data/model.onnx`, 'bytes');
    await upload(`${under}data`, '', { hdi_isfolder: 'true' });
    if (path !== '') await upload('mm/other.onnx');
    const flavors = { onnx: { onnx_version: '1.16', data: 'model.onnx' } };
    const modelUri = `https://acct.blob.core.windows.net/data/${path}`;
    const made = await register(ONE, {
      ModelType: 'MLFLOW_MODEL',
      modelUri,
      flavors,
      tags: { a: '1' },
      isAnonymous: false,
    });
    expect([made.status, made.body]).toEqual([
      201,
      model('1', { modelUri, flavors, modelType: 'mlflow_model', tags: { a: '1' } }),
    ]);
    expect(await copies()).toEqual({ 'heart/1/MLmodel': 'flavors', 'heart/1/data/model.onnx': 'bytes' });
    expect((await world.call('GET', ONE.toUpperCase().replace('HEART', 'Heart'))).body).toEqual(made.body);
  });

  it('does not change when its source does; its words may', async () => {
    await upload('m/model.onnx', 'old');
    await register(ONE, { modelUri: `${URI}/m/model.onnx` });
    await upload('m/model.onnx', 'new');
    const modelUri = 'https://acct.blob.core.windows.net/data/m/model.onnx';
    const again = await register(ONE, { modelUri, description: 'text' });
    expect([again.status, again.body]).toEqual([
      200,
      model('1', { modelUri: `${URI}/m/model.onnx`, description: 'text' }),
    ]);
    expect(await copies()).toEqual({ 'heart/1/model.onnx': 'old' });
  });

  it('is not replaced by other content', async () => {
    await upload('m/model.onnx');
    await upload('n/model.onnx');
    await register(ONE, { modelUri: `${URI}/m` });
    const before = world.writes.length;
    for (const change of [{ modelUri: `${URI}/n` }, { modelUri: `${URI}/m`, flavors: { onnx: {} } }])
      expect(errorOf(await register(ONE, change))).toEqual({
        status: 409,
        code: 'Conflict',
        target: undefined,
        message: `Model 'heart' version '1' exists with another ${Object.keys(change).at(-1)}; a version never changes. Register a new version.`,
      });
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('is registered once by two at a time', async () => {
    await upload('m/model.onnx', 'm');
    await upload('n/model.onnx', 'n');
    const answers = await Promise.all(['m', 'n'].map((path) => register(ONE, { modelUri: `${URI}/${path}` })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    const made = answers.find(({ status }) => status === 201)?.body as { properties: { modelUri: string } };
    expect(await copies()).toEqual({ 'heart/1/model.onnx': made.properties.modelUri.slice(-1) });
  });

  it('is finished by a repeat when the first attempt broke off', async () => {
    await upload('m/a.onnx');
    await upload('m/b.onnx');
    let broken = true;
    const systemBlobs: World['systemBlobs'] = {
      ...world.systemBlobs,
      writeStream: async (ref, ...rest) => {
        if (broken && ref.name.endsWith('b.onnx')) throw new Error('the line broke');
        return world.systemBlobs.writeStream(ref, ...rest);
      },
    };
    const { call } = await freshWorld({ ...world.deps, systemBlobs });
    const put = () => call('PUT', ONE, { body: { properties: { modelUri: `${URI}/m` } } });
    expect((await put()).status).toBe(500);
    expect((await call('GET', ONE)).status).toBe(404);
    broken = false;
    expect((await put()).status).toBe(201);
    expect(await copies()).toEqual({ 'heart/1/a.onnx': 'm/a.onnx', 'heart/1/b.onnx': 'm/b.onnx' });
  });
});

describe('a model', () => {
  it('knows its latest and its next version', async () => {
    await upload('m/model.onnx');
    for (const version of ['2', '10', 'beta']) {
      world.clock.time += 1000;
      await register(`${HEART}/versions/${version}`, { modelUri: `${URI}/m` });
    }
    const createdAt = '2026-02-03T04:05:07.000Z';
    expect((await world.call('GET', HEART)).body).toEqual({
      id: HEART,
      name: 'heart',
      type: 'Microsoft.MachineLearningServices/workspaces/models',
      properties: {
        description: null,
        tags: {},
        properties: {},
        isArchived: false,
        latestVersion: 'beta',
        nextVersion: '11',
        provisioningState: 'Succeeded',
      },
      systemData: { ...SYSTEM_DATA, createdAt, lastModifiedAt: createdAt },
    });
    const list = (await world.call('GET', `${HEART}/versions`)).body as { value: { name: string }[] };
    expect(list.value.map(({ name }) => name)).toEqual(['beta', '10', '2']);
  });

  it.each([HEART, ONE])('that is not there is a 404: %s', async (path) => {
    expect(errorOf(await world.call('GET', path))).toMatchObject({ status: 404, code: 'ResourceNotFound' });
  });
});

describe('bad requests', () => {
  const modelUri = `${URI}/m`;
  it.each<[string, string, object, number, string]>([
    ['no properties', ONE, {}, 400, 'properties.modelUri'],
    ['another kind of model', ONE, { modelUri, modelType: 'pickle' }, 400, 'properties.modelType'],
    ['a source that is not there', ONE, { modelUri: `${URI}/none` }, 400, 'properties.modelUri'],
    ['a source elsewhere', ONE, { modelUri: 'https://evil.example/data/m' }, 403, 'properties.modelUri'],
    ["a job's output", ONE, { modelUri: 'azureml://jobs/j/outputs/o' }, 400, 'properties.modelUri'],
    ['a name with a space', `${WORKSPACE}/models/a%20b/versions/1`, { modelUri }, 400, 'name'],
    ['a name that is a way out', `${WORKSPACE}/models/%2e%2e%2fx/versions/1`, { modelUri }, 400, 'name'],
    ['a version that ends with a dot', `${HEART}/versions/1.`, { modelUri }, 400, 'version'],
  ])('%s: refused, and nothing changes', async (_what, path, properties, status, target) => {
    await upload('m/model.onnx');
    const before = world.writes.length;
    expect(errorOf(await register(path, properties))).toMatchObject({ status, target });
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('more files than a model may have', async () => {
    for (let i = 0; i <= 1000; i++) await upload(`many/${i}`, '');
    expect(errorOf(await register(ONE, { modelUri: `${URI}/many` }))).toMatchObject({
      status: 400,
      message: "A model may have at most 1000 files; there are more under 'many/'.",
    });
    expect(await copies()).toEqual({});
  });

  it('a file whose path does not fit behind the name and version', async () => {
    await upload(`m/${'x'.repeat(600)}`);
    const path = `${WORKSPACE}/models/${'n'.repeat(255)}/versions/${'1'.repeat(255)}`;
    expect(errorOf(await register(path, { modelUri: `${URI}/m` }))).toMatchObject({
      status: 400,
      target: 'properties.modelUri',
    });
    expect(await copies()).toEqual({});
  });

  it('more bytes than a model may have', async () => {
    const { call } = await freshWorld({
      stores: (await world.deps.datastores.list()).map(({ address, blobs }) => ({
        address,
        blobs: { ...blobs, head: async () => ({ etag: '"1"', length: 2 * 1024 ** 3 + 1, metadata: {} }) },
      })),
    });
    const answer = await call('PUT', ONE, { body: { properties: { modelUri: `${URI}/big.onnx` } } });
    expect(errorOf(answer)).toMatchObject({ status: 400, target: 'properties.modelUri' });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PathType } from '../../../../shared/domain/pipeline/model.ts';
import type { ModelRecord } from '../../../../shared/domain/resources.ts';
import { assetContainer, assetFile } from '../../../../shared/storage/asset-files.ts';
import type { StepInput } from '../../../../shared/steps/pipeline/step-inputs.ts';
import type { Blobs } from '../../../../shared/storage/ports.ts';
import { withFaults, type FaultyBlobs } from '../../../support/faulty-blobs.ts';
import { CONTAINER, STORE, stepWorld, type StepWorld } from '../../../support/step-world.ts';

let world: StepWorld;
beforeEach(async () => {
  world = await stepWorld();
});
afterEach(() => world.close());

const from = (path: string, type: PathType): Record<string, StepInput> => ({
  data: { from: 'datastore', type, address: { datastore: STORE, container: CONTAINER, path } },
});

const model = (modelUri: string, paths: readonly string[], type: PathType): Record<string, StepInput> => {
  const record: ModelRecord = {
    name: 'heart',
    version: '1',
    description: null,
    tags: {},
    properties: {},
    createdAt: '',
    createdBy: '',
    modifiedAt: '',
    isAnonymous: false,
    isArchived: false,
    content: { modelType: 'custom_model', modelUri, flavors: {}, jobName: null },
    files: paths.map((path) => ({ path, length: path.length })),
  };
  return { data: { from: 'model', type, model: record } };
};

const LIST = 'cd "${{inputs.data}}" && find . -type f | sort | while read -r f; do echo "$f=$(cat "$f")"; done';
const printed = (): string[] => world.lines.map(({ text }) => text);

describe('an input', () => {
  it('of a file is a path that ends with its name', async () => {
    await world.put({ 'in/a.csv': 'age\n1' });
    expect(
      await world.run('echo "$(basename ${{inputs.data}})"; cat "${{inputs.data}}"', {
        inputs: from('in/a.csv', 'uri_file'),
      }),
    ).toMatchObject({ ok: true });
    expect(printed()).toEqual(['a.csv', 'age', '1']);
  });

  it('of a folder holds its files and those of the folders in it, whatever their names', async () => {
    await world.put({ 'in/a b.csv': '1', 'in/deep/$(rm -rf ~)\'"/ü.csv': '2', 'in/empty': '', 'other/x': '3' });
    await world.put({ 'in/': '' });
    expect(await world.run(LIST, { inputs: from('in/', 'uri_folder') })).toMatchObject({ ok: true });
    expect(printed()).toEqual(['./a b.csv=1', './deep/$(rm -rf ~)\'"/ü.csv=2', './empty=']);
  });

  it.each(['custom_model', 'mlflow_model'] as const)('of a %s may be a folder of a datastore', async (type) => {
    await world.put({ 'm/MLmodel': 'x', 'm/model.pkl': 'y' });
    await world.run(LIST, { inputs: from('m', type) });
    expect(printed()).toEqual(['./MLmodel=x', './model.pkl=y']);
  });

  it('of a custom_model may be a file of a datastore', async () => {
    await world.put({ 'm/model.pkl': 'y' });
    await world.run('cat "${{inputs.data}}"', { inputs: from('m/model.pkl', 'custom_model') });
    expect(printed()).toEqual(['y']);
  });

  it('of a registered model is its folder, or its file when it was made of one', async () => {
    await world.system.ensureContainer(assetContainer('models'));
    const put = (path: string) =>
      world.system.write(assetFile('models', { name: 'heart', version: '1' }, path), Buffer.from(path));
    await Promise.all(['MLmodel', 'data/model.pkl'].map(put));
    await world.run(LIST, { inputs: model('azureml://x/paths/folder', ['MLmodel', 'data/model.pkl'], 'mlflow_model') });
    await world.run('cat "${{inputs.data}}"', {
      inputs: model('azureml://x/paths/MLmodel', ['MLmodel'], 'custom_model'),
    });
    expect(printed()).toEqual(['./MLmodel=MLmodel', './data/model.pkl=data/model.pkl', 'MLmodel']);
  });

  it.each([
    [
      'a file that is absent',
      'gone.csv',
      'uri_file',
      "Input 'data': the file 'gone.csv' in datastore store does not exist.",
    ],
    [
      'a folder that is absent',
      'gone',
      'uri_folder',
      "Input 'data': the folder 'gone' in datastore store does not exist.",
    ],
    [
      'a model that is absent',
      'gone',
      'mlflow_model',
      "Input 'data': the model 'gone' in datastore store does not exist.",
    ],
  ] as const)('cannot be %s', async (_what, path, type, message) => {
    expect(await world.run('true', { inputs: from(path, type) })).toMatchObject({
      ok: false,
      reason: { code: 'InputNotFound', message },
    });
  });

  it('may not be larger than the step may take', async () => {
    await world.close();
    world = await stepWorld(() => ({ limits: { diskBytes: 1024 ** 2 } }));
    await world.put({ 'in/a': 'x'.repeat(600_000), 'in/b': 'x'.repeat(600_000) });
    const outcome = await world.run('true', { inputs: from('in', 'uri_folder') });
    expect(outcome).toMatchObject({
      ok: false,
      reason: {
        code: 'DiskLimit',
        message:
          "Input 'data': the inputs of the step are larger than 1 MB. The limit is the setting BATCHPOINT_STEP_DISK_MB.",
      },
    });
  });

  it.each([
    ['overwritten', (blobs: Blobs) => blobs.write({ container: CONTAINER, name: 'in/a' }, Buffer.from('new'))],
    ['removed', (blobs: Blobs) => blobs.remove({ container: CONTAINER, name: 'in/a' })],
  ])('is the version that was found, or none: %s', async (_how, change) => {
    await world.close();
    world = await stepWorld(({ datastore }) => ({
      datastore(name) {
        const store = datastore(name);
        if (!store) return undefined;
        const { blobs } = store;
        const changing: Blobs = {
          ...blobs,
          async read(ref, options) {
            await change(blobs);
            return blobs.read(ref, options);
          },
        };
        return { ...store, blobs: changing };
      },
    }));
    await world.put({ 'in/a': 'old' });
    expect(await world.run('true', { inputs: from('in', 'uri_folder') })).toMatchObject({
      ok: false,
      reason: { code: 'InputChanged' },
    });
  });

  it('that storage does not give stops the others, and leaves nothing behind', async () => {
    await world.close();
    let faulty: FaultyBlobs | undefined;
    world = await stepWorld(({ datastore }) => {
      const store = datastore(STORE);
      if (!store) throw new Error('no datastore');
      const fault = { kind: 'refuse', status: 500, code: 'InternalError' } as const;
      const blobs = (faulty = withFaults(store.blobs, [{ operation: 'read', nth: 3, fault }]));
      return { datastore: () => ({ ...store, blobs }) };
    });
    await world.put(Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`in/folder-${at}/file`, 'x'])));
    await expect(world.run('true', { inputs: from('in', 'uri_folder') })).rejects.toThrow('500');
    expect(await world.leftovers()).toEqual([]);
    expect(faulty?.calls('read')).toBeLessThan(50);
  });

  it.each([
    ['a file and a folder of one name', ['in/a', 'in/a/b'], 'has the name of another file or folder of the input'],
    ['a name that is too long for a file', [`in/${'x'.repeat(300)}`], 'has a name of more than 255 bytes in it'],
    ['an empty folder name', ['in/a//b'], 'has an empty segment'],
  ])('cannot hold %s', async (_what, names, why) => {
    await world.put(Object.fromEntries(names.map((name) => [name, 'x'])));
    const outcome = await world.run('true', { inputs: from('in', 'uri_folder') });
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'BadInput' } });
    expect(!outcome.ok && outcome.reason.message).toContain(why);
    expect(await world.leftovers()).toEqual([]);
  });
});

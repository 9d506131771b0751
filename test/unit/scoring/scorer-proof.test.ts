import { describe, expect, it } from 'vitest';
import type { Scorer } from '../../../shared/domain/scorer.ts';
import { ModelFault } from '../../../shared/scoring/engine.ts';
import { engineOf, type EngineDeps } from '../../../shared/scoring/load-engine.ts';
import { scoringEngines } from '../../../shared/scoring/scoring-engines.ts';
import { engineWorld, PYFUNC, scorer, testFolders, withScript } from './engine-world.ts';

const local = testFolders();
const world = (change: Partial<EngineDeps> = {}) => engineWorld(local.folders, change);

describe('the interpreter', () => {
  const conda = 'name: x\n';
  const none = { image: null, condaFile: null, requirements: null };
  async function needsOf(asked: Scorer, content?: object, files: Record<string, string> = {}) {
    const made = await world();
    await made.register('models', 'heart', { 'm/MLmodel': PYFUNC, ...files }, 'heart');
    await made.register('codes', 'scoring', { 'score.py': '' });
    const stored = { description: null, tags: {}, properties: {}, createdAt: '', createdBy: 't', modifiedAt: '' };
    const flags = { isAnonymous: false, isArchived: false };
    if (content)
      await made.deps.registry.environments.create({
        name: 'e',
        version: '1',
        ...stored,
        ...flags,
        content: { ...content },
      });
    await (await engineOf(made.deps, asked)).prove();
    return made.asked;
  }
  const registered = { image: null, condaFile: null, build: null };

  it.each<[string, object]>([
    ['a conda file', { image: 'ubuntu:1', condaFile: conda }],
    ['an image', { image: 'ubuntu:1' }],
    ['nothing', {}],
  ])('is asked for what the environment has: %s', async (_what, content) => {
    const asked = { ...withScript('score.py'), environment: 'azureml:e:1' };
    expect(await needsOf(asked, { ...registered, ...content })).toEqual([
      { label: 'azureml:e:1', ...none, ...content },
    ]);
  });

  it('is asked for an image that would have to be built', async () => {
    const asked = { ...withScript('score.py'), environment: 'azureml:e:1' };
    const build = { contextUri: 'azureml://x', dockerfilePath: 'Dockerfile' };
    expect(await needsOf(asked, { ...registered, build })).toEqual([
      { label: 'azureml:e:1', ...none, image: 'azureml://x' },
    ]);
  });

  it.each(['azureml:AzureML-Minimal:3', 'azureml://registries/azureml/environments/sklearn/labels/latest'])(
    'is asked for %s by its name alone',
    async (environment) => {
      expect(await needsOf({ ...withScript('score.py'), environment })).toEqual([{ label: environment, ...none }]);
    },
  );

  it('is not asked for an environment that is gone', async () => {
    await expect(needsOf({ ...scorer, environment: 'azureml:e:1' })).rejects.toEqual(
      new ModelFault('Environment azureml:e:1 is not registered any more.'),
    );
  });

  it.each<[Record<string, string>, object]>([
    [{ 'm/conda.yaml': conda, 'm/requirements.txt': 'mlflow' }, { condaFile: conda }],
    [{ 'm/requirements.txt': 'mlflow', 'conda.yaml': conda }, { requirements: 'mlflow' }],
    [{}, {}],
  ])('of a model that names none is asked for what the model brings: %j', async (files, asked) => {
    expect(await needsOf(scorer, undefined, files)).toEqual([
      { label: "the model's own requirements", ...none, ...asked },
    ]);
  });

  it('of a script that names none is any', async () => {
    expect(await needsOf(withScript('score.py'))).toEqual([{ label: 'no environment', ...none }]);
  });

  it('is in use until the engine is closed, and its building is heard', async () => {
    const { deps, register, interpretersInUse } = await world();
    await register('models', 'heart', { MLmodel: PYFUNC }, 'heart');
    const lines: string[] = [];
    const engine = await (await engineOf(deps, scorer)).load((line) => lines.push(line));
    expect([interpretersInUse(), lines]).toEqual([1, ["building the model's own requirements"]]);
    await engine.close();
    expect(interpretersInUse()).toBe(0);
  });
});

describe('the proof', () => {
  const proved = async (asked: Scorer, change: Partial<EngineDeps> = {}) => {
    const { deps, log, register } = await world(change);
    await register('models', 'heart', { MLmodel: PYFUNC }, 'heart');
    await register('codes', 'scoring', { 'score.py': '', 'score.js': '' });
    await scoringEngines(deps).prove(asked);
    return log;
  };

  it('of a Python script checks it with the interpreter, and starts nothing', async () => {
    expect(await proved(withScript('score.py'))).toEqual([
      ['checkScript', ['/env/python', expect.stringContaining(local.root), 'score.py']],
    ]);
  });

  it('of what needs Python fails where there is none', async () => {
    const none = () => Promise.reject(new ModelFault('there is no python3'));
    const environments = { check: none, interpreter: none };
    for (const asked of [scorer, withScript('score.py')])
      await expect(proved(asked, { environments })).rejects.toThrow('there is no python3');
    expect(await proved(withScript('score.js'), { environments })).toEqual([]);
  });

  it.each([
    ['A scoring script', withScript('score.py')],
    ['A scoring script', withScript('score.js')],
    ['A python_function model', scorer],
  ])('of %s fails where files are cut', async (what, asked) => {
    await expect(proved({ ...asked, cutsFiles: true })).rejects.toEqual(
      new ModelFault(
        `${what} takes whole files: set the property batchpoint.miniBatchUnit to 'files', or score an ONNX model without code.`,
      ),
    );
  });

  it('of an ONNX model loads it', async () => {
    const { deps, register } = await world();
    await register('models', 'heart', { 'model.onnx': 'no graph' });
    await expect(scoringEngines(deps).prove(scorer)).rejects.toBeInstanceOf(ModelFault);
  });
});

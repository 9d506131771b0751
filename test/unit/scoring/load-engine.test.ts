import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Scorer } from '../../../shared/domain/scorer.ts';
import { ModelFault } from '../../../shared/scoring/engine.ts';
import { engineOf, type EngineDeps } from '../../../shared/scoring/load-engine.ts';
import { scoringEngines } from '../../../shared/scoring/scoring-engines.ts';
import { engineWorld, ONNX, PYFUNC, scorer, testFolders, withScript } from './engine-world.ts';
import { MODEL } from './engines.ts';

const local = testFolders();
const world = (change: Partial<EngineDeps> = {}) => engineWorld(local.folders, change);
const text = (...path: string[]) => readFile(join(...path), 'utf8');
const unheard = () => undefined;
const load = async (deps: EngineDeps, asked: Scorer) => (await engineOf(deps, asked)).load(unheard);

/** The options that the only engine was opened with. */
function only<T>(log: [string, T][]): [string, T] {
  expect(log).toHaveLength(1);
  return log[0] as [string, T];
}

describe('without code', () => {
  it('a *.onnx file is scored in this process, whatever user code would be told', async () => {
    const { deps, register } = await world({ allowCode: false });
    await register('models', 'heart', { 'model.onnx': MODEL });
    const engines = scoringEngines(deps);
    const one = await engines.lease(scorer, unheard);
    const other = await engines.lease(
      { ...scorer, workers: 9, loggingLevel: 'Debug', environment: 'azureml:e:1' },
      unheard,
    );
    expect([one.engine.kind, one.engine.columns, other.engine === one.engine]).toEqual(['file', ['y_0', 'y_1'], true]);
    one.release();
    other.release();
    await one.engine.close();
  });

  it('an MLmodel with the onnx flavour is scored in this process', async () => {
    const { deps, log, register } = await world({ allowCode: false });
    await register('models', 'heart', { 'm/MLmodel': ONNX, 'm/model.onnx': MODEL, 'other.onnx': 'x' }, 'heart');
    const engine = await load(deps, scorer);
    expect([engine.columns, log]).toEqual([['y_0', 'y_1'], []]);
    await engine.close();
  });

  it('a python_function model runs in Python, from the folder of its MLmodel', async () => {
    const { deps, log, register } = await world();
    await register('models', 'heart', { 'm/MLmodel': PYFUNC, 'm/model.pkl': 'pickle' }, 'heart');
    const variables = { LEVEL: '3' };
    const engine = await load(deps, { ...scorer, environmentVariables: variables });
    const [kind, options] = only(log as [string, { modelFolder: string; print: unknown }][]);
    expect([kind, options]).toEqual([
      'pyfunc',
      {
        ...{ python: '/env/python', workers: 2, loggingLevel: 'Info', environmentVariables: variables },
        modelFolder: options.modelFolder,
        print: options.print,
      },
    ]);
    expect(await text(options.modelFolder, 'model.pkl')).toBe('pickle');
    expect(options.modelFolder).toMatch(/[/\\]heart[/\\]m[/\\]?$/);
    await engine.close();
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'nothing known',
      { 'model.pkl': 'x' },
      'The model holds neither an MLmodel file nor a *.onnx file; deploy it with a scoring script (codeConfiguration).',
    ],
    [
      'other flavours',
      { MLmodel: 'flavors:\n  tensorflow: {}\n' },
      'The model has neither the onnx nor the python_function flavour (it has: tensorflow); deploy it with a scoring script (codeConfiguration).',
    ],
    ['a missing file', { MLmodel: ONNX }, "MLmodel names model.onnx, which is not among the model's files."],
    [
      'two files',
      { 'a.onnx': 'x', 'b.onnx': 'x' },
      'The model holds several *.onnx files and no MLmodel file that names one of them.',
    ],
  ])('a model of %s is a fault', async (_what, files, message) => {
    const { deps, register } = await world();
    await register('models', 'heart', files, 'heart');
    await expect(engineOf(deps, scorer)).rejects.toEqual(new ModelFault(message));
  });
});

describe('with code', () => {
  it.each([
    ['score.py', 'python', { python: '/env/python' }],
    ['lib/score.mjs', 'module', {}],
    ['lib/score.ts', 'module', {}],
  ])('%s runs as %s over copies of code and model', async (script, engineKind, more) => {
    const { deps, log, register } = await world();
    await register('models', 'heart', { 'a/weights.bin': 'weights' }, 'model');
    await register('codes', 'scoring', { [script]: 'the code', 'lib/tools.py': 'tools' }, 'src');
    const engine = await load(deps, withScript(script));
    const [kind, options] = only(log as [string, { codeFolder: string; modelFolder: string; print: unknown }][]);
    expect([kind, options]).toEqual([
      engineKind,
      {
        ...{ workers: 2, loggingLevel: 'Info', environmentVariables: {}, script, ...more },
        ...{ codeFolder: options.codeFolder, modelFolder: options.modelFolder, print: options.print },
      },
    ]);
    expect(await text(options.codeFolder, script)).toBe('the code');
    expect(await text(options.codeFolder, 'lib/tools.py')).toBe('tools');
    expect(await text(options.modelFolder, 'model/a/weights.bin')).toBe('weights');
    await engine.close();
  });

  it('a model of one file lies under its own name', async () => {
    const { deps, log, register } = await world();
    await register('models', 'heart', { 'heart.pkl': 'pickle' });
    await register('codes', 'scoring', { 'score.py': '' });
    await load(deps, withScript('score.py'));
    const [, { modelFolder }] = only(log as [string, { modelFolder: string }][]);
    expect(await text(modelFolder, 'heart.pkl')).toBe('pickle');
  });

  it('the copies stay as long as the engine is open', async () => {
    const { deps, log, register } = await world();
    await register('models', 'heart', { 'heart.pkl': 'pickle' });
    await register('codes', 'scoring', { 'score.py': '' });
    const engine = await load(deps, withScript('score.py'));
    const [, { codeFolder, modelFolder }] = only(log as [string, { codeFolder: string; modelFolder: string }][]);
    await Promise.all([access(codeFolder), access(modelFolder)]);
    await engine.close();
    for (const folder of [codeFolder, modelFolder])
      await expect.poll(() => access(folder).then(() => 'there', String), { timeout: 30_000 }).toMatch('ENOENT');
  });

  it('an engine that does not open leaves no copy in use', async () => {
    const { deps, register } = await world();
    await register('models', 'heart', { 'heart.pkl': 'pickle' });
    await register('codes', 'scoring', { 'score.js': '' });
    let open = 0;
    const counted: EngineDeps['folders'] = {
      async lease(source) {
        const { path, release } = await local.folders.lease(source);
        open++;
        return { path, release: () => (open--, release()) };
      },
    };
    const module = () => Promise.reject(new ModelFault('no run()'));
    const failing = { ...deps, folders: counted, engines: { ...deps.engines, module } };
    await expect(load(failing, withScript('score.js'))).rejects.toThrow('no run()');
    expect(open).toBe(0);
  });

  it('equal scorers share an engine; others, and a version that was registered anew, do not', async () => {
    const { deps, register } = await world();
    await register('models', 'heart', { 'heart.pkl': 'pickle' });
    await register('codes', 'scoring', { 'score.py': '' });
    const keyOf = async (asked: Scorer) => (await engineOf(deps, asked)).key;
    const python = withScript('score.py');
    const key = await keyOf(python);
    expect(await keyOf({ ...withScript('score.py') })).toBe(key);
    for (const other of [
      { ...python, workers: 3 },
      { ...python, loggingLevel: 'Debug' as const },
      { ...python, environment: 'azureml:e:1' },
      { ...python, environmentVariables: { A: '1' } },
    ])
      expect(await keyOf(other)).not.toBe(key);
    const code = await deps.registry.codes.get('scoring', '1');
    if (code) await deps.registry.codes.remove(code.value, code.etag);
    await expect(engineOf(deps, python)).rejects.toThrow("Code 'scoring' version '1' is not registered any more.");
    await register('codes', 'scoring', { 'score.py': 'other' });
    expect(await keyOf(python)).not.toBe(key);
  });
});

describe('where no code is allowed', () => {
  it.each<[string, Scorer]>([
    ['The scoring script score.py', withScript('score.py')],
    ['The scoring script score.js', withScript('score.js')],
    ["The python_function model 'heart' version '1'", scorer],
  ])('%s is refused, naming the setting', async (what, asked) => {
    const { deps, register } = await world({ allowCode: false });
    await register('models', 'heart', { MLmodel: PYFUNC }, 'heart');
    await register('codes', 'scoring', { 'score.py': '', 'score.js': '' });
    const fault = new ModelFault(
      `${what} would run with all rights of this app, which allows no code: whoever runs the app can allow it with the app setting BATCHPOINT_ALLOW_CODE=true.`,
    );
    const { prove, lease } = scoringEngines(deps);
    await expect(prove(asked)).rejects.toEqual(fault);
    await expect(lease(asked, unheard)).rejects.toEqual(fault);
  });
});

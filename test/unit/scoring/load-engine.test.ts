import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Scorer } from '../../../shared/domain/scorer.ts';
import { ModelFault } from '../../../shared/scoring/engine.ts';
import { engineOf, type CodeEngines, type EngineDeps } from '../../../shared/scoring/load-engine.ts';
import type { EnvironmentNeeds } from '../../../shared/scoring/environments/needs.ts';
import { localFolders, type LocalFolders } from '../../../shared/scoring/local-folders.ts';
import { scoringEngines } from '../../../shared/scoring/scoring-engines.ts';
import { assetFile, type FileKind } from '../../../shared/storage/asset-files.ts';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../../shared/storage/memory-tables.ts';
import { resourceRegistry } from '../../../shared/storage/registry/resources.ts';
import { MODEL } from './engines.ts';

const ONNX = 'flavors:\n  python_function: {}\n  onnx: {data: model.onnx}\n';
const PYFUNC = 'flavors:\n  python_function: {}\n  sklearn: {}\n';

const scorer: Scorer = { model: { name: 'heart', version: '1' }, loggingLevel: 'Info', workers: 2 };
const withScript = (script: string): Scorer => ({ ...scorer, code: { name: 'scoring', version: '1', script } });

let root: string;
let folders: LocalFolders;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'batchpoint-load-'));
  // Copies that nobody uses go at once.
  folders = localFolders({ root, maxBytes: 0 });
});
afterEach(async () => {
  await folders.close();
  await rm(root, { recursive: true, force: true });
});

/** Registered versions, and engines of users' code that only tell what they were given. */
async function world(change: Partial<EngineDeps> = {}) {
  const blobs = memoryBlobs();
  const registry = resourceRegistry({ table: memoryTables()('registry'), blobs });
  const log: [engine: string, options: object][] = [];
  const asked: EnvironmentNeeds[] = [];
  let leased = 0;
  const never = () => {
    throw new Error('nothing is scored here');
  };
  const loaded = (engine: string, options: object) => {
    log.push([engine, options]);
    return { columns: [engine], score: never, close: async () => undefined };
  };
  const engines: CodeEngines = {
    python: async (options) => ({ kind: 'miniBatch', ...loaded('python', options) }),
    pyfunc: async (options) => ({ kind: 'file', ...loaded('pyfunc', options) }),
    module: async (options) => ({ kind: 'miniBatch', ...loaded('module', options) }),
    checkScript: async (...options) => void log.push(['checkScript', options]),
  };
  const environments: EngineDeps['environments'] = {
    check: async (needs) => (asked.push(needs), '/env/python'),
    interpreter: async (needs, print) => {
      asked.push(needs);
      print(`building ${needs.label}`);
      leased++;
      return { python: '/env/python', ignored: [], release: () => void leased-- };
    },
  };
  const deps: EngineDeps = {
    ...{ registry, blobs, folders, engines, environments, allowCode: true, threads: 1 },
    ...change,
  };

  async function register(kind: FileKind, name: string, files: Record<string, string | Uint8Array>, folder?: string) {
    const stored = { description: null, tags: {}, properties: {}, createdBy: 't', modifiedAt: '' };
    const createdAt = new Date(Date.UTC(2026, 0, 1) + registered++).toISOString();
    const record = {
      ...{ name, version: '1', ...stored, createdAt, isAnonymous: false, isArchived: false },
      files: Object.entries(files).map(([path, content]) => ({ path, length: Buffer.from(content).length })),
      ...(folder !== undefined && { folder }),
    };
    await blobs.ensureContainer(`batchpoint-${kind}`);
    for (const [path, content] of Object.entries(files))
      await blobs.write(assetFile(kind, record, path), Buffer.from(content));
    if (kind === 'codes') await registry.codes.create({ ...record, content: { codeUri: 'u' } });
    else {
      const content = { modelType: 'custom_model', modelUri: 'u', flavors: {}, jobName: null };
      await registry.models.create({ ...record, content });
    }
  }
  let registered = 0;
  return { deps, log, register, asked, interpretersInUse: () => leased };
}

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
    const [kind, options] = only(log as [string, { modelFolder: string }][]);
    expect([kind, options]).toEqual([
      'pyfunc',
      {
        ...{ python: '/env/python', workers: 2, loggingLevel: 'Info', environmentVariables: variables },
        modelFolder: options.modelFolder,
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
    const [kind, options] = only(log as [string, { codeFolder: string; modelFolder: string }][]);
    expect([kind, options]).toEqual([
      engineKind,
      {
        ...{ workers: 2, loggingLevel: 'Info', environmentVariables: {}, script, ...more },
        ...{ codeFolder: options.codeFolder, modelFolder: options.modelFolder },
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
        const { path, release } = await folders.lease(source);
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
      ['checkScript', ['/env/python', expect.stringContaining(root), 'score.py']],
    ]);
  });

  it('of what needs Python fails where there is none', async () => {
    const none = () => Promise.reject(new ModelFault('there is no python3'));
    const environments = { check: none, interpreter: none };
    for (const asked of [scorer, withScript('score.py')])
      await expect(proved(asked, { environments })).rejects.toThrow('there is no python3');
    expect(await proved(withScript('score.js'), { environments })).toEqual([]);
  });

  it('of an ONNX model loads it', async () => {
    const { deps, register } = await world();
    await register('models', 'heart', { 'model.onnx': 'no graph' });
    await expect(scoringEngines(deps).prove(scorer)).rejects.toBeInstanceOf(ModelFault);
  });
});

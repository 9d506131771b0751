import { join } from 'node:path';
import { canonical } from '../domain/canonical.ts';
import type { CodeRecord, ModelRecord } from '../domain/resources.ts';
import { takesWholeFiles } from '../domain/mini-batches.ts';
import type { Scorer } from '../domain/scorer.ts';
import { assetFile } from '../storage/asset-files.ts';
import type { Blobs } from '../storage/ports.ts';
import type { Registry } from '../storage/registry/resources.ts';
import { assetFolder, assetKey, modelBase } from './asset-folder.ts';
import { environmentNeeds, modelNeeds, NO_ENVIRONMENT } from './environment-needs.ts';
import type { PythonEnvironments } from './environments/python-environments.ts';
import { ModelFault, type Engine, type FileEngine, type MiniBatchEngine, type PrintedLine } from './engine.ts';
import type { LocalFolders } from './local-folders.ts';
import { fetchFile, modelKind, type ModelKind, type ModelSource } from './model-kind.ts';
import { onnxEngine } from './onnx/engine.ts';
import type { ScoringPlaces } from './scoring-places.ts';

/** What every engine that runs a user's code is told. */
interface CodeOptions {
  readonly workers: number;
  /** Becomes AZUREML_MODEL_DIR, or the folder of the MLmodel file. */
  readonly modelFolder: string;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly loggingLevel: Scorer['loggingLevel'];
  /** Gets what is printed where there is no run that it belongs to. */
  readonly print: (line: PrintedLine) => void;
}
interface ScriptOptions extends CodeOptions {
  readonly codeFolder: string;
  readonly script: string;
}
interface PythonOptions {
  /** The interpreter. */
  readonly python: string;
}

/** The engines that run users' code. */
export interface CodeEngines {
  python(options: ScriptOptions & PythonOptions): Promise<MiniBatchEngine>;
  pyfunc(options: CodeOptions & PythonOptions): Promise<FileEngine>;
  module(options: ScriptOptions): Promise<MiniBatchEngine>;
  /** Throws ModelFault for a script that is no Python. */
  checkScript(python: string, codeFolder: string, script: string): Promise<void>;
}

export interface EngineDeps {
  readonly registry: Pick<Registry, 'models' | 'codes' | 'environments'>;
  /** Where the registered files lie. */
  readonly blobs: Blobs;
  readonly folders: Pick<LocalFolders, 'lease'>;
  readonly engines: CodeEngines;
  readonly environments: Pick<PythonEnvironments, 'interpreter' | 'check'>;
  readonly allowCode: boolean;
  /** What ONNX models score in at once. */
  readonly places: ScoringPlaces;
}

/** What a scorer means at this moment. */
export interface LoadableEngine {
  /** Equal ones are one engine. */
  readonly key: string;
  /** `print` gets what the job's log should tell of it. */
  load(print: (line: string) => void): Promise<Engine>;
  /** Throws ModelFault for what could not score, as far as can be told without running it. */
  prove(): Promise<void>;
}

/** What runs a scorer. Throws ModelFault when nothing can, or may. */
export async function engineOf(deps: EngineDeps, scorer: Scorer): Promise<LoadableEngine> {
  const { name, version } = scorer.model;
  const model = (await deps.registry.models.get(name, version))?.value;
  if (!model) throw new ModelFault(`Model '${name}' version '${version}' is not registered any more.`);
  if (scorer.code && scorer.cutsFiles) throw new ModelFault(takesWholeFiles('A scoring script'));
  if (scorer.code) return scriptEngine(deps, scorer, scorer.code.script, model, await codeOf(deps, scorer.code));
  const source: ModelSource = { ...deps, files: model.files, at: (path) => assetFile('models', model, path) };
  const kind = await modelKind(source);
  if (kind.kind !== 'onnx' && scorer.cutsFiles) throw new ModelFault(takesWholeFiles('A python_function model'));
  return kind.kind === 'onnx'
    ? onnx(source, kind, assetKey('models', model), deps.places)
    : pythonFunction(deps, scorer, model, source, kind.folder);
}

async function codeOf(
  { registry }: EngineDeps,
  { name, version }: { readonly name: string; readonly version: string },
): Promise<CodeRecord> {
  const code = (await registry.codes.get(name, version))?.value;
  if (!code) throw new ModelFault(`Code '${name}' version '${version}' is not registered any more.`);
  return code;
}

function onnx(
  source: ModelSource,
  { path, signature }: Extract<ModelKind, { kind: 'onnx' }>,
  model: string,
  places: ScoringPlaces,
): LoadableEngine {
  const load = async () => onnxEngine({ model: await fetchFile(source, path), signature, places });
  return {
    key: `onnx ${model}`,
    load,
    prove: async () => (await load()).close(),
  };
}

function scriptEngine(
  deps: EngineDeps,
  scorer: Scorer,
  script: string,
  model: ModelRecord,
  code: CodeRecord,
): LoadableEngine {
  checkAllowed(deps, `The scoring script ${script}`);
  const isPython = script.endsWith('.py');
  const codeSource = assetFolder('codes', code, deps.blobs);
  const needs = async () => (await environmentNeeds(deps.registry, scorer)) ?? NO_ENVIRONMENT;
  return {
    key: codeKey(scorer, [assetKey('models', model), codeSource.key]),
    load: (print) =>
      withLeases<MiniBatchEngine>(async (hold) => {
        const python = isPython ? hold(await deps.environments.interpreter(await needs(), print)).python : undefined;
        const codeFolder = hold(await deps.folders.lease(codeSource)).path;
        const modelFolder = hold(await deps.folders.lease(assetFolder('models', model, deps.blobs))).path;
        const options = { ...codeOptions(scorer, print), codeFolder, modelFolder, script };
        return python === undefined ? deps.engines.module(options) : deps.engines.python({ ...options, python });
      }),
    async prove() {
      if (!isPython) return;
      const python = await deps.environments.check(await needs());
      const folder = await deps.folders.lease(codeSource);
      try {
        await deps.engines.checkScript(python, folder.path, script);
      } finally {
        folder.release();
      }
    },
  };
}

function pythonFunction(
  deps: EngineDeps,
  scorer: Scorer,
  model: ModelRecord,
  source: ModelSource,
  folder: string,
): LoadableEngine {
  checkAllowed(deps, `The python_function model '${model.name}' version '${model.version}'`);
  const needs = async () => (await environmentNeeds(deps.registry, scorer)) ?? (await modelNeeds(source, folder));
  return {
    key: codeKey(scorer, [assetKey('models', model)]),
    load: (print) =>
      withLeases<FileEngine>(async (hold) => {
        const { python } = hold(await deps.environments.interpreter(await needs(), print));
        const { path } = hold(await deps.folders.lease(assetFolder('models', model, deps.blobs)));
        const modelFolder = join(path, modelBase(model), folder);
        return deps.engines.pyfunc({ ...codeOptions(scorer, print), python, modelFolder });
      }),
    async prove() {
      await deps.environments.check(await needs());
    },
  };
}

function checkAllowed({ allowCode }: EngineDeps, what: string): void {
  if (!allowCode)
    throw new ModelFault(
      `${what} would run with all rights of this app, which allows no code: whoever runs the app can allow it with the app setting BATCHPOINT_ALLOW_CODE=true.`,
    );
}

const codeKey = (scorer: Scorer, assets: readonly string[]): string => canonical({ ...scorer, assets });

const codeOptions = (
  { workers, environmentVariables = {}, loggingLevel }: Scorer,
  print: (line: string) => void,
): Pick<CodeOptions, 'workers' | 'environmentVariables' | 'loggingLevel' | 'print'> => ({
  workers,
  environmentVariables,
  loggingLevel,
  print: ({ worker, stream, text }) => print(`worker ${worker} ${stream}: ${text}`),
});

interface Lease {
  release(): void;
}

/** Opens an engine over what it needs on this machine; that is held until the engine is closed. */
async function withLeases<E extends Engine>(open: (hold: <L extends Lease>(lease: L) => L) => Promise<E>): Promise<E> {
  const leases: Lease[] = [];
  const release = (): void => leases.forEach((lease) => lease.release());
  try {
    const engine = await open((lease) => {
      leases.push(lease);
      return lease;
    });
    return {
      ...engine,
      async close() {
        try {
          await engine.close();
        } finally {
          release();
        }
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

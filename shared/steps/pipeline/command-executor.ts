import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { ModelBody } from '../../domain/asset-bodies.ts';
import { JobFault } from '../../domain/errors.ts';
import { keepNewest } from '../../domain/keep-newest.ts';
import type { StepFacts, StepOutput, StepWork } from '../../domain/pipeline/pipeline-job.ts';
import { stepSummary, type StepTracking } from '../../domain/step-tracking.ts';
import { parseDataUri, type UriRules } from '../../domain/uri.ts';
import { assetFolder } from '../../scoring/asset-folder.ts';
import { ModelFault } from '../../scoring/engine.ts';
import { environmentNeeds, NO_ENVIRONMENT } from '../../scoring/environment-needs.ts';
import type { EnvironmentNeeds } from '../../scoring/environments/needs.ts';
import type { PythonEnvironments } from '../../scoring/environments/python-environments.ts';
import type { LocalFolders } from '../../scoring/local-folders.ts';
import type { Registry } from '../../storage/registry/resources.ts';
import { MODELS, type AssetDeps } from '../asset-kinds.ts';
import { listVersions, nextVersion } from '../asset-lists.ts';
import { putVersion } from '../asset-versions.ts';
import { uriRules } from '../datastore-source.ts';
import type { Log } from '../ports.ts';
import { commitStepOutputs } from './commit-outputs.ts';
import type { CommandRequest, StepExecutor } from './deps.ts';
import { executeCommand } from './execute-command.ts';
import { modelRegistration } from './model-registration.ts';
import type { StepDeps } from './step-deps.ts';
import type { StepInput } from './step-inputs.ts';
import { outputVersions, readStepManifest, type StepManifest, type StepPlace } from './step-manifest.ts';

type CommandWork = Extract<StepWork, { kind: 'command' }>;

/** What commands run with: this machine, and what is registered. */
export interface ExecutorDeps extends AssetDeps, Pick<StepDeps, 'environment' | 'limits' | 'codeUser'> {
  readonly folders: Pick<LocalFolders, 'lease'>;
  readonly environments: Pick<PythonEnvironments, 'interpreter'>;
  /** This process's own folder on the machine's disk. */
  workFolder(): Promise<string>;
  readonly allowCode: boolean;
  /** Of a command that sets no limit, and the most that one may set, in seconds. */
  readonly maxTimeoutSeconds: number;
  readonly log: Log;
}

const NO_CODE =
  'Commands would run with all rights of this app, which allows no code: whoever runs the app can allow it with the app setting BATCHPOINT_ALLOW_CODE=true.';

/** Runs commands as processes on this machine. */
export function commandExecutor(deps: ExecutorDeps): StepExecutor {
  /** Of attempts that ended here and are not committed, by their ids: most are committed at once. */
  const made = new Map<string, StepManifest>();
  return {
    async execute(request, signal) {
      const { step } = request;
      const { work } = step;
      if (work.kind !== 'command') throw new Error(`step ${step.path} has no command`);
      if (!deps.allowCode) throw new JobFault('CodeNotAllowed', NO_CODE);
      const held: { release(): void }[] = [];
      try {
        const python = await deps.environments.interpreter(await needsOf(deps.registry, work), request.print);
        held.push(python);
        const code = work.code && (await deps.folders.lease(await codeSource(deps, work.code)));
        if (code) held.push(code);
        const workFolder = await deps.workFolder();
        const outcome = await executeCommand(
          await stepDeps(deps, workFolder),
          {
            ...(await placesOf(deps, request)),
            job: request.job,
            stepRun: step.run,
            attempt: request.attempt,
            component: {
              command: work.command,
              inputs: Object.fromEntries(work.inputNames.map((name) => [name, ANY_INPUT])),
              outputs: step.outputs,
            },
            codeFolder: code?.path,
            environmentVariables: work.environmentVariables,
            programs: await programsOf(workFolder, python.python),
            timeoutMs: Math.min(work.timeoutSeconds ?? deps.maxTimeoutSeconds, deps.maxTimeoutSeconds) * 1000,
            print: ({ text }) => request.print(text),
          },
          signal,
        );
        const facts = factsOf(outcome.tracking);
        if (outcome.ok) keepNewest(made, request.attempt, outcome.manifest, MANIFESTS_IN_MEMORY);
        return outcome.ok ? { ok: true, facts } : { ok: false, facts, reason: outcome.reason };
      } catch (error) {
        if (error instanceof ModelFault) throw new JobFault('EnvironmentNotAvailable', error.message);
        throw error;
      } finally {
        for (const lease of held) lease.release();
      }
    },

    async commit(job, step, attempt, createdBy) {
      const manifest =
        made.get(attempt) ?? (await readStepManifest(deps.systemBlobs, { job, stepRun: step.run, attempt }));
      if (!manifest) throw new Error(`the manifest of attempt ${attempt} of step ${step.path} is gone`);
      await commitStepOutputs(await stepDeps(deps, await deps.workFolder()), manifest);
      for (const model of manifest.models)
        await registerOnce(deps, model.name, modelRegistration(manifest, model), createdBy);
      made.delete(attempt);
      return outputVersions(manifest);
    },
  };
}

/** Manifests in memory: an attempt that lost is never asked for. */
const MANIFESTS_IN_MEMORY = 16;

const ANY_INPUT = { kind: 'literal', type: 'any', optional: true } as const;

function factsOf(tracking: StepTracking): StepFacts {
  const { metrics, params } = stepSummary(tracking);
  return { metrics: { ...metrics }, parameters: { ...params } };
}

/** Where the datastores are now; a step takes minutes, and they hardly change. */
async function stepDeps(deps: ExecutorDeps, workFolder: string): Promise<StepDeps> {
  const stores = await deps.datastores.list();
  return {
    systemBlobs: deps.systemBlobs,
    datastore: (name) => stores.find(({ address }) => address.name.toLowerCase() === name.toLowerCase()),
    workFolder: join(workFolder, 'steps'),
    environment: deps.environment,
    limits: deps.limits,
    codeUser: deps.codeUser,
    log: deps.log,
  };
}

async function needsOf(registry: Registry, { environment }: CommandWork): Promise<EnvironmentNeeds> {
  if (environment === undefined) return NO_ENVIRONMENT;
  if (!('reference' in environment))
    return { label: "the component's environment", requirements: null, ...environment };
  return (await environmentNeeds(registry, { environment: environment.reference })) ?? NO_ENVIRONMENT;
}

async function codeSource({ registry, systemBlobs }: ExecutorDeps, code: NonNullable<CommandWork['code']>) {
  const found = await registry.codes.get(code.name, code.version);
  if (!found)
    throw new JobFault('CodeNotFound', `Code '${code.name}' version '${code.version}' is not registered any more.`);
  return assetFolder('codes', found.value, systemBlobs);
}

/** Literals by their text, the rest by where it lies. */
async function placesOf(deps: ExecutorDeps, { step, inputs }: CommandRequest) {
  const rules = await uriRules(deps);
  const values: Record<string, string> = {};
  const places: Record<string, StepInput> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input.from === 'literal') values[name] = input.value;
    else if (input.from === 'place')
      places[name] = { from: 'datastore', type: input.type, address: parseDataUri(input.uri, rules, name) };
    else places[name] = { from: 'model', type: input.type, model: await modelOf(deps, input.model) };
  }
  const outputs = Object.entries(step.outputs).map(
    ([name, output]) => [name, { type: output.type, place: placeOf(output, rules) }] as const,
  );
  const { name: datastore, container } = deps.datastores.default.address;
  const models = { datastore, container, path: `azureml/${step.run}/models` };
  return { values, inputs: places, outputs: Object.fromEntries(outputs), models };
}

function placeOf({ uri }: StepOutput, rules: UriRules): StepPlace {
  const { datastore, container, path } = parseDataUri(uri, rules, 'outputs');
  return { datastore, container, path: path.replace(/\/$/, '') };
}

async function modelOf({ registry }: ExecutorDeps, { name, version }: { name: string; version: string }) {
  const found = await registry.models.get(name, version);
  if (!found) throw new JobFault('ModelNotFound', `Model '${name}' version '${version}' is not registered any more.`);
  return found.value;
}

/**
 * A folder in which `python` and `python3` are the environment's: its own, or, for a command that is looked up in PATH, one with
 * two lines of shell.
 */
async function programsOf(workFolder: string, python: string): Promise<string> {
  if (isAbsolute(python)) return dirname(python);
  const folder = join(workFolder, 'programs', encodeURIComponent(python));
  await mkdir(folder, { recursive: true });
  for (const name of ['python', 'python3']) {
    // Its own folder comes first in PATH, so the command would find itself.
    const text = `#!/bin/sh\nPATH="\${PATH#*:}" exec '${python.replaceAll("'", "'\\''")}' "$@"\n`;
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

/** Registers a model of a step under its next version, unless a repeat of the commit has done so. */
async function registerOnce(
  deps: ExecutorDeps,
  name: string,
  body: ReturnType<typeof modelRegistration>,
  createdBy: string,
): Promise<void> {
  const { modelUri } = body.properties;
  const same = await listVersions(deps, MODELS, name, 'newest', ({ content }) => content.modelUri === modelUri, 1);
  if (same.records.length > 0) return;
  await putVersion(deps, MODELS, name, await nextVersion(deps, MODELS, name), ModelBody.parse(body), {
    subject: createdBy,
    ifMatch: undefined,
  });
}

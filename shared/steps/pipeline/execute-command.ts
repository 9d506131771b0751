import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JobFault } from '../../domain/errors.ts';
import type { CommandLine } from '../../pipeline/command-lines.ts';
import { runCommand, type StepReason } from '../../pipeline/run-command.ts';
import { stepEnvironment } from '../../pipeline/step-environment.ts';
import { outputBlob, outputFiles, type OutputFile } from './output-files.ts';
import { stageOutput } from './stage-outputs.ts';
import type { StepDeps } from './step-deps.ts';
import { makeStepFolder, type StepFolder } from './step-folder.ts';
import { fetchInputs, type StepDataType, type StepInput } from './step-inputs.ts';
import { type StepManifest, type StepPlace, writeStepManifest } from './step-manifest.ts';

export interface StepOutput {
  readonly type: StepDataType;
  readonly place: StepPlace;
}

/** What a shell is given: text in which no value can be read as anything else, and the variables that hold the values. */
export interface ShellCommand {
  readonly script: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface CommandRequest {
  readonly job: string;
  readonly stepRun: string;
  /** Drawn for this run alone, and never seen before. */
  readonly attempt: string;
  /** Fills in the local paths of inputs and outputs, by name. */
  fill(paths: {
    readonly inputs: Readonly<Record<string, string>>;
    readonly outputs: Readonly<Record<string, string>>;
  }): ShellCommand;
  /** A folder with the code's files; the command gets a copy of it. */
  readonly codeFolder?: string | undefined;
  readonly environmentVariables: Readonly<Record<string, string>>;
  /** Folder of the environment's python; the app's own PATH without. */
  readonly programs?: string | undefined;
  readonly inputs: Readonly<Record<string, StepInput>>;
  readonly outputs: Readonly<Record<string, StepOutput>>;
  readonly timeoutMs: number;
  readonly print: (line: CommandLine) => void;
}

export type CommandOutcome =
  { readonly ok: true; readonly manifest: StepManifest } | { readonly ok: false; readonly reason: StepReason };

/**
 * Runs one attempt of a command step: inputs are brought, the command runs, and what it wrote is staged where it will appear, with
 * a manifest. Nothing can be read before `commitStepOutputs`. What the step itself did wrong is a value; an exception means that
 * the machine or storage failed, and that another attempt may succeed.
 */
export async function executeCommand(
  deps: StepDeps,
  request: CommandRequest,
  signal: AbortSignal,
): Promise<CommandOutcome> {
  const folder = await makeStepFolder(deps, request.codeFolder);
  try {
    return await runIn(deps, folder, request, signal);
  } catch (error) {
    if (signal.aborted) return { ok: false, reason: { code: 'Cancelled', message: 'The step was cancelled.' } };
    if (error instanceof JobFault) return { ok: false, reason: { code: error.code, message: error.message } };
    throw error;
  } finally {
    await folder.remove();
  }
}

async function runIn(
  deps: StepDeps,
  folder: StepFolder,
  request: CommandRequest,
  signal: AbortSignal,
): Promise<CommandOutcome> {
  const inputs = await fetchInputs(deps, folder.inputs, request.inputs, signal);
  const outputs = await outputPaths(folder.outputs, request.outputs);
  const command = request.fill({ inputs, outputs });
  const script = await folder.prepare(command.script, deps.codeUser);
  const ran = await runCommand({
    script,
    cwd: folder.code,
    folder: folder.run,
    environment: stepEnvironment({
      own: deps.environment,
      given: { ...request.environmentVariables, ...command.environment },
      programs: request.programs,
      ...folder,
    }),
    limits: { timeoutMs: request.timeoutMs, ...deps.limits },
    user: deps.codeUser,
    signal,
    print: request.print,
  });
  if (!ran.ok) return ran;
  const [stray] = await folder.strays();
  if (stray !== undefined)
    throw new JobFault(
      'WroteOutside',
      `The command wrote '${stray.slice(0, 200)}' outside its folder. Only what it writes to its outputs is kept.`,
    );
  const found = await Promise.all(
    Object.entries(request.outputs).map(async ([name, { type, place }]) => ({
      name,
      place,
      files: await outputFiles({
        name,
        isFile: type === 'uri_file',
        local: outputs[name] ?? folder.outputs,
        place: place.path,
        within: folder.run,
      }),
    })),
  );
  refuseSharedBlobs(found);
  const manifest: StepManifest = {
    job: request.job,
    stepRun: request.stepRun,
    attempt: request.attempt,
    outputs: {},
  };
  for (const { name, place, files } of found) {
    const store = deps.datastore(place.datastore);
    if (!store)
      throw new JobFault('OutputNotFound', `Output '${name}': datastore '${place.datastore}' does not exist.`);
    manifest.outputs[name] = await stageOutput({ blobs: store.blobs, ...request, signal }, place, files);
  }
  await writeStepManifest(deps.systemBlobs, manifest);
  return { ok: true, manifest };
}

/** A folder is there when the command starts; a file is its to write. */
async function outputPaths(
  folder: string,
  outputs: Readonly<Record<string, StepOutput>>,
): Promise<Record<string, string>> {
  const paths: Record<string, string> = {};
  for (const [name, { type }] of Object.entries(outputs)) {
    paths[name] = join(folder, name);
    if (type !== 'uri_file') await mkdir(join(folder, name));
  }
  return paths;
}

/** Of two outputs that write one blob, only the blocks of one could be committed. */
function refuseSharedBlobs(
  outputs: readonly { readonly name: string; readonly place: StepPlace; readonly files: readonly OutputFile[] }[],
): void {
  const owners = new Map<string, string>();
  for (const { name, place, files } of outputs)
    for (const { path } of files) {
      const blob = outputBlob(place.path, path);
      const key = `${place.datastore}/${blob}`;
      const other = owners.get(key);
      if (other !== undefined)
        throw new JobFault('BadOutput', `Outputs '${other}' and '${name}' both write '${blob.slice(0, 200)}'.`);
      owners.set(key, name);
    }
}

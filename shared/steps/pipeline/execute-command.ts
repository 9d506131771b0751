import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JobFault } from '../../domain/errors.ts';
import type { CommandComponent } from '../../domain/pipeline/model.ts';
import { NOTHING_TRACKED, stepSummary, type StepTracking } from '../../domain/step-tracking.ts';
import type { CommandLine } from '../../pipeline/command-lines.ts';
import { fillCommand } from '../../pipeline/command.ts';
import { readRuns } from '../../pipeline/mlflow-runs.ts';
import { runCommand, type CommandResult, type StepReason } from '../../pipeline/run-command.ts';
import { stepEnvironment, trackingFolder } from '../../pipeline/step-environment.ts';
import { collectOutputs, type StepOutput } from './collect-outputs.ts';
import { stageStep } from './stage-outputs.ts';
import type { StepDeps } from './step-deps.ts';
import { makeStepFolder, type StepFolder } from './step-folder.ts';
import { fetchInputs, type StepInput } from './step-inputs.ts';
import { type StepManifest, type StepPlace, writeStepManifest } from './step-manifest.ts';

export interface ExecuteRequest {
  readonly job: string;
  readonly stepRun: string;
  /** Drawn for this run alone, and never seen before. */
  readonly attempt: string;
  readonly component: Pick<CommandComponent, 'command' | 'inputs' | 'outputs'>;
  /** Texts of literals, by the names of the component's inputs. */
  readonly values: Readonly<Record<string, string>>;
  /** A folder with the code's files; the command gets a copy of it. */
  readonly codeFolder?: string | undefined;
  /** Of the component, and of the job over them. */
  readonly environmentVariables: Readonly<Record<string, string>>;
  /** Folder of the environment's python; the app's own PATH without. */
  readonly programs?: string | undefined;
  /** Those with files. */
  readonly inputs: Readonly<Record<string, StepInput>>;
  readonly outputs: Readonly<Record<string, StepOutput>>;
  /** The folder for models that the code registers, below their names and numbers. */
  readonly models: StepPlace;
  readonly timeoutMs: number;
  readonly print: (line: CommandLine) => void;
}

/** `tracking` is what the code told MLflow, also before it failed. */
export type ExecuteOutcome =
  | { readonly ok: true; readonly manifest: StepManifest; readonly tracking: StepTracking }
  | { readonly ok: false; readonly reason: StepReason; readonly tracking: StepTracking };

/**
 * Runs one attempt of a command step: inputs are brought, the command runs, and what it wrote is staged where it will appear, with
 * a manifest. Nothing can be read before `commitStepOutputs`. What the step itself did wrong is a value; an exception means that
 * the machine or storage failed, and that another attempt may succeed.
 */
export async function executeCommand(
  deps: StepDeps,
  request: ExecuteRequest,
  signal: AbortSignal,
): Promise<ExecuteOutcome> {
  const folder = await makeStepFolder(deps, request.codeFolder);
  let tracking = NOTHING_TRACKED;
  try {
    const outputs = await prepareOutputs(folder, request.outputs);
    const ran = await run(deps, request, folder, outputs, signal);
    tracking = await readRuns(trackingFolder(folder.mlflow)).catch((error: unknown) => {
      // Why the command failed is worth more than what it told MLflow.
      if (ran.ok || !(error instanceof JobFault)) throw error;
      return NOTHING_TRACKED;
    });
    printMetrics(tracking, request.print);
    if (!ran.ok) return { ...ran, tracking };
    const collected = await collectOutputs(folder, outputs, request.models);
    const staged = await stageStep(deps, request, collected, signal);
    const { job, stepRun, attempt } = request;
    const manifest: StepManifest = { job, stepRun, attempt, ...staged, tracking };
    await writeStepManifest(deps.systemBlobs, manifest);
    return { ok: true, manifest, tracking };
  } catch (error) {
    const failed = signal.aborted ? new JobFault('Cancelled', 'The step was cancelled.') : error;
    if (!(failed instanceof JobFault)) throw failed;
    return { ok: false, reason: { code: failed.code, message: failed.message }, tracking };
  } finally {
    await folder.remove();
  }
}

/** Brings the inputs and runs the command. Throws JobFault for an input that cannot be had, and a command that needs it. */
async function run(
  deps: StepDeps,
  request: ExecuteRequest,
  folder: StepFolder,
  outputs: Readonly<Record<string, { readonly local: string }>>,
  signal: AbortSignal,
): Promise<CommandResult> {
  const paths = await fetchInputs(deps, folder.inputs, request.inputs, signal);
  const command = fillCommand(request.component, {
    inputs: { ...request.values, ...paths },
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { local }]) => [name, local])),
  });
  if (deps.codeUser) await folder.giveTo(deps.codeUser);
  return runCommand({
    script: command.script,
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
}

/** A folder is there when the command starts; a file is its to write. */
async function prepareOutputs(
  folder: StepFolder,
  outputs: Readonly<Record<string, StepOutput>>,
): Promise<Record<string, StepOutput & { readonly local: string }>> {
  const prepared: Record<string, StepOutput & { readonly local: string }> = {};
  for (const [name, output] of Object.entries(outputs)) {
    const local = join(folder.outputs, name);
    if (output.type !== 'uri_file') await mkdir(local);
    prepared[name] = { ...output, local };
  }
  return prepared;
}

/** Metrics that are printed into the step's log at its end. */
const MAX_SHOWN = 100;

function printMetrics(tracking: StepTracking, print: ExecuteRequest['print']): void {
  const metrics = Object.entries(stepSummary(tracking).metrics);
  for (const [name, value] of metrics.slice(0, MAX_SHOWN))
    print({ stream: 'stdout', text: `metric ${name} = ${value}` });
}

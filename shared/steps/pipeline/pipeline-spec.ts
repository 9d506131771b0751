import { unlimitedCaller } from '../../auth/caller.ts';
import { badRequest } from '../../domain/errors.ts';
import type { Limits } from '../../domain/limits.ts';
import { bindInputs, jobOutputFaults, type JobValues } from '../../domain/pipeline/bind-inputs.ts';
import { checkPipeline, pipelineError } from '../../domain/pipeline/check-pipeline.ts';
import type { Fault, PipelineComponent, StepInput as AskedInput, StepOutput } from '../../domain/pipeline/model.ts';
import { own } from '../../domain/pipeline/own.ts';
import type { PipelineOutput, PipelineSpec, PlannedStep, StepInput } from '../../domain/pipeline/pipeline-job.ts';
import { planPipeline, type PlannedInput, type PlannedStep as Planned } from '../../domain/pipeline/plan-pipeline.ts';
import type { PipelineSettings } from '../../domain/pipeline/settings.ts';
import { uuidOf } from '../../domain/uuid.ts';
import { newJobTrace } from '../../telemetry/job-span.ts';
import type { PlaceDeps } from '../job-places.ts';
import type { Clock } from '../ports.ts';
import type { DataUser } from '../usable-place.ts';
import { checkCompute, outputStore } from './check-settings.ts';
import { lookupFor } from './component-source.ts';
import { outputPlaces } from './output-places.ts';
import { stepInput } from './step-input.ts';
import { stepWork } from './step-work.ts';

export interface SpecDeps extends PlaceDeps {
  readonly clock: Clock;
  /** BATCHPOINT_ALLOW_CODE: commands may run. */
  readonly allowCode: boolean;
  /** Seconds that a command may take. */
  readonly maxTimeoutSeconds: number;
  readonly limits: Pick<Limits, 'inputs'>;
}

/** What a job or an invocation asks for, whichever way it was written. */
export interface AskedRun extends Omit<
  PipelineSpec,
  'createdAt' | 'steps' | 'outputs' | 'continueOnStepFailure' | 'trace'
> {
  readonly pipeline: PipelineComponent;
  readonly inputs: Readonly<Record<string, AskedInput>>;
  readonly given: Readonly<Record<string, StepOutput>>;
  readonly settings: PipelineSettings;
  /** Whose data it is given. What the pipeline itself names is its author's, and that is an owner. */
  readonly user: DataUser;
  /** What the paths of faults begin with. */
  readonly targets: {
    readonly inputs: string;
    readonly outputs: string;
    /** The pipeline's own fields. */
    readonly pipeline: string;
    readonly settings: string;
  };
}

/** The job that is stored: every reference is followed, every output has its place. Throws ApiError 400, 403 and writes nothing. */
export async function pipelineSpec(deps: SpecDeps, asked: AskedRun): Promise<PipelineSpec> {
  const { pipeline, inputs, given, settings, targets, user, ...described } = asked;
  const { inputs: most } = deps.limits;
  if (Object.keys(inputs).length > most) throw badRequest(`A job may have at most ${most} inputs.`, targets.inputs);
  const lookup = await lookupFor(deps, pipeline);
  refuse(checkPipeline(pipeline, lookup), targets.pipeline);
  refuse(jobOutputFaults(pipeline.outputs, given), targets.outputs);
  const bound = bindInputs(pipeline.inputs, inputs);
  if ('faults' in bound) throw pipelineError(bound.faults, targets.inputs);
  const planned = planPipeline(pipeline, lookup, bound.values);
  if ('faults' in planned) throw pipelineError(planned.faults, targets.pipeline);
  const { plan } = planned;
  if (plan.steps.some(({ component }) => component.type === 'command')) checkCodeAllowed(deps);
  await checkCompute(deps, settings.defaultCompute, `${targets.settings}.default_compute`);
  const store = await outputStore(deps, settings.defaultDatastore, `${targets.settings}.default_datastore`);
  const runs = new Map(plan.steps.map(({ path }) => [path, uuidOf(`${described.name}/${path}`)]));
  const jobInputs = await resolved(deps, bound.values, targets.inputs, (name) =>
    Object.hasOwn(inputs, name) ? user : AUTHOR,
  );
  const steps: Omit<PlannedStep, 'outputs'>[] = [];
  for (const step of plan.steps)
    steps.push(await plannedStep(deps, step, { targets, settings, jobInputs, run: runs.get(step.path) ?? '' }));
  const where = { target: targets.outputs, pipelineTarget: targets.pipeline };
  const places = await outputPlaces(deps, {
    job: described.name,
    plan,
    runs,
    given,
    store,
    user,
    author: AUTHOR,
    ...where,
  });
  const outputs = Object.entries(plan.outputs).map(([name, { step, output, type }]): [string, PipelineOutput] => {
    const place = own(places.get(step) ?? {}, output);
    if (!place) throw new Error(`output ${output} of step ${step} has no place`);
    return [name, { type, uri: place.uri, step, output }];
  });
  return {
    ...described,
    createdAt: new Date(deps.clock.now()).toISOString(),
    steps: steps.map((step) => ({ ...step, outputs: places.get(step.path) ?? {} })),
    outputs: Object.fromEntries(outputs),
    continueOnStepFailure: settings.continueOnStepFailure,
    ...newJobTrace(),
  };
}

function refuse(faults: readonly Fault[], target: string): void {
  if (faults.length > 0) throw pipelineError(faults, target);
}

/** Throws ApiError 400 that names the setting. */
export function checkCodeAllowed({ allowCode }: Pick<SpecDeps, 'allowCode'>): void {
  if (!allowCode)
    throw badRequest(
      'The pipeline runs commands, with all rights of this app, which allows no code: whoever runs the app can allow it with the app setting BATCHPOINT_ALLOW_CODE=true.',
    );
}

/** What the job's own paths are. */
async function resolved(
  deps: SpecDeps,
  values: JobValues,
  target: string,
  userOf: (name: string) => DataUser,
): Promise<Record<string, StepInput>> {
  const found: Record<string, StepInput> = {};
  for (const [name, value] of Object.entries(values))
    if (value.kind === 'path') found[name] = await stepInput(deps, value, userOf(name), `${target}.${name}.uri`);
  return found;
}

interface Around extends Pick<AskedRun, 'targets' | 'settings'> {
  readonly jobInputs: Readonly<Record<string, StepInput>>;
  readonly run: string;
}

/** Components, and pipelines in a job's body, are an owner's (shared/api/route-table.ts), who may use all data. */
const AUTHOR: DataUser = { caller: unlimitedCaller('author') };

/** What the client calls components that nobody named. */
const ANONYMOUS = 'azureml_anonymous';

async function plannedStep(
  deps: SpecDeps,
  step: Planned,
  { targets, settings, jobInputs, run }: Around,
): Promise<Omit<PlannedStep, 'outputs'>> {
  const { path, component, dependencies, dependents } = step;
  const target = `${targets.pipeline}.jobs.${path.replaceAll('.', '.jobs.')}`;
  const name = path.slice(path.lastIndexOf('.') + 1);
  await checkCompute(deps, step.compute, `${target}.computeId`);
  const inputs: Record<string, StepInput> = {};
  for (const [input, value] of Object.entries(step.inputs))
    inputs[input] = await inputOf(deps, value, jobInputs, `${target}.inputs.${input}`);
  const work = await stepWork(deps, step, target);
  if (work.kind === 'scoring' && inputs[work.input]?.from === 'model')
    throw badRequest(`${target}.inputs.${work.input}: is a model, and a deployment scores data.`, target);
  return {
    path,
    displayName: step.displayName ?? name,
    component: component.name === null || component.name === ANONYMOUS ? name : component.name,
    run,
    dependsOn: [...dependencies],
    dependents: [...dependents],
    inputs,
    work,
    reusable: component.isDeterministic && !settings.forceRerun,
  };
}

async function inputOf(
  deps: SpecDeps,
  value: PlannedInput,
  jobInputs: Around['jobInputs'],
  target: string,
): Promise<StepInput> {
  switch (value.from) {
    case 'literal':
      return { from: 'literal', value: value.value };
    case 'asset':
      return stepInput(deps, value, AUTHOR, `${target}.uri`);
    case 'output':
      return { from: 'step', type: value.type, step: value.step, output: value.output };
    case 'jobInput': {
      const found = own(jobInputs, value.name);
      if (!found) throw new Error(`the job has no input ${value.name}`);
      return found;
    }
  }
}

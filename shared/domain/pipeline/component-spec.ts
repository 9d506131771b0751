import { z } from 'zod';
import { checked, wording } from '../checked.ts';
import { textMap } from '../caseless.ts';
import { commandFaults } from './command-template.ts';
import type { CommandComponent, ParallelComponent, PipelineComponent, StepComponent } from './model.ts';
import { inputPort, named, outputPort, PORT_NAME, STEP_NAME } from './ports.ts';
import { inputData, overrideFields, overridesOf, ScoringTask } from './scoring-task.ts';
import { environmentSource, environmentVariables, stepSpec, stepType } from './step-spec.ts';
import { assetReference, flag, limits, noDistribution, oneInstance, text, wireObject } from './wire.ts';

/** `componentSpec` of a component's version: the component's YAML as JSON (contract 3.5), captured in test/fixtures/pipelines. */

const described = {
  name: z.string().nullable().default(null),
  version: z.string().nullable().default(null),
  displayName: z.string().nullable().default(null),
  description: z.string().nullable().default(null),
  tags: textMap.default({}),
  inputs: named(PORT_NAME, inputPort),
  outputs: named(PORT_NAME, outputPort),
};

export const codeReference = assetReference('code asset', 'codes');

const commandSpec = wireObject({
  ...described,
  command: text,
  code: codeReference.nullable().default(null),
  environment: environmentSource.nullable().default(null),
  environmentVariables,
  isDeterministic: flag.default(true),
  resources: oneInstance,
  distribution: noDistribution,
  limits,
}).transform(({ limits: sent, resources: _one, distribution: _none, ...spec }, context): CommandComponent => {
  for (const message of commandFaults(spec.command, spec))
    context.addIssue({ code: 'custom', path: ['command'], message, input: spec.command });
  const timeout = sent?.timeout;
  return { type: 'command', ...spec, ...(timeout !== undefined && { timeoutSeconds: timeout }) };
});

const parallelSpec = wireObject({
  ...described,
  ...overrideFields,
  task: ScoringTask,
  inputData,
  isDeterministic: flag.default(true),
  partitionKeys: z.array(z.unknown()).max(0, 'are not supported').optional(),
}).transform((spec, context): ParallelComponent => {
  const { name, version, displayName, description, tags, inputs, outputs, isDeterministic } = spec;
  const [only, ...others] = Object.keys(outputs);
  const score = spec.task.appendRowTo ?? only;
  const fail = (path: string[], message: string): never => {
    context.addIssue({ code: 'custom', path, message, input: spec });
    return z.NEVER;
  };
  if (inputs[spec.inputData]?.kind !== 'path') return fail(['inputData'], 'must name a path input of this component');
  const other = Object.keys(inputs).find((input) => input !== spec.inputData);
  if (other !== undefined) return fail(['inputs', other], 'has no use: a deployment scores one input');
  if (score === undefined || others.length > 0 || outputs[score] === undefined)
    return fail(['outputs'], 'must be one output, where the predictions go');
  return {
    type: 'parallel',
    ...{ name, version, displayName, description, tags, inputs, outputs, isDeterministic },
    endpoint: spec.task.model.endpoint,
    deployment: spec.task.model.deployment,
    data: spec.inputData,
    score,
    overrides: overridesOf(spec),
  };
});

/** A component that may be a step, by its `type`; without one it is a pipeline if it has `jobs`. */
const stepComponent: z.ZodType<StepComponent> = z.lazy(() => anySpec);

export const stepsOf = named(STEP_NAME, stepSpec(stepComponent));

const pipelineSpec = wireObject({
  ...described,
  jobs: stepsOf,
  sourceJobId: text.optional(),
}).transform(({ sourceJobId, ...spec }, context): PipelineComponent => {
  if (Object.keys(spec.jobs).length === 0 && sourceJobId === undefined)
    context.addIssue({ code: 'custom', path: ['jobs'], message: 'must hold at least one step', input: spec });
  const sourceJob = sourceJobId?.replace(/^azureml:/i, '').replace(/^.*\/jobs\//i, '');
  return { type: 'pipeline', ...spec, ...(sourceJob !== undefined && { sourceJob }) };
});

const SPECS = { command: commandSpec, parallel: parallelSpec, pipeline: pipelineSpec };

const typed = wireObject({ type: stepType.optional(), jobs: z.unknown().optional() });

const typeOf = typed.transform(({ type, jobs }) => type ?? (jobs === undefined ? 'command' : 'pipeline'));

const anySpec = z.unknown().transform((value, context): StepComponent => {
  const type = typeOf.safeParse(value, { error: wording });
  const read = type.success ? SPECS[type.data].safeParse(value, { error: wording }) : type;
  if (read.success && typeof read.data !== 'string') return read.data;
  for (const { path, message } of read.error?.issues ?? [])
    context.addIssue({ code: 'custom', path, message, input: value });
  return z.NEVER;
});

/** Reads a component's spec. Throws ApiError 400 with a detail per fault, named under `prefix`. */
export const parseComponentSpec = (spec: unknown, prefix = 'properties.componentSpec'): StepComponent =>
  checked(anySpec, spec, prefix);

import type { JobValues } from './bind-inputs.ts';
import { parentOutput, readBinding, wholeSource, type Source } from './binding.ts';
import { dependenciesOf } from './check-pipeline.ts';
import { componentOf, type Lookup } from './components.ts';
import { orderSteps } from './graph.ts';
import { readForPort } from './literal.ts';
import type {
  CommandComponent,
  EnvironmentSource,
  Fault,
  InputPort,
  ParallelComponent,
  PathType,
  PipelineComponent,
  Step,
  StepComponent,
  StepInput,
} from './model.ts';
import { own } from './own.ts';
import type { ScoringOverrides } from './scoring-task.ts';

export type PlannedInput =
  /** As a command gets it: defaults are filled in, texts around bindings are put together. */
  | { readonly from: 'literal'; readonly value: string }
  /** A data URI or a reference to an asset that the pipeline itself names. */
  | { readonly from: 'asset'; readonly type: PathType; readonly uri: string }
  | { readonly from: 'jobInput'; readonly name: string; readonly type: PathType }
  | { readonly from: 'output'; readonly step: string; readonly output: string; readonly type: PathType };

export interface PlannedOutput {
  readonly type: PathType;
  /** Where the pipeline says that it goes. */
  readonly uri?: string;
  /** Outputs of the job that it is. */
  readonly jobOutputs: readonly string[];
}

/** One step that runs: no pipeline is left. An optional input that was not given is absent. */
export interface PlannedStep {
  /** Unique in the job: `train`, and `sub.train` in a nested pipeline. */
  readonly path: string;
  readonly displayName: string | null;
  readonly component: CommandComponent | ParallelComponent;
  /** How the pipeline names the component; null for one that is written out in it. */
  readonly reference: string | null;
  readonly inputs: Readonly<Record<string, PlannedInput>>;
  readonly outputs: Readonly<Record<string, PlannedOutput>>;
  readonly environment: EnvironmentSource | null;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
  readonly compute: string | null;
  readonly overrides: ScoringOverrides;
  /** Steps that must end before this one begins, and those that wait for this one. */
  readonly dependencies: readonly string[];
  readonly dependents: readonly string[];
}

export interface PipelinePlan {
  /** Each after all that it depends on. */
  readonly steps: readonly PlannedStep[];
  /** Steps that depend on none. */
  readonly sources: readonly string[];
  /** The job's outputs, by name. */
  readonly outputs: Readonly<
    Record<string, { readonly step: string; readonly output: string; readonly type: PathType }>
  >;
}

type Values = Readonly<Record<string, PlannedInput>>;
type Outputs = Record<string, PlannedInput & { readonly from: 'output' }>;
type Draft = Omit<PlannedStep, 'outputs' | 'dependencies' | 'dependents'>;

/**
 * Lays a checked pipeline out flat for a job's values. Answers faults for literals that only now are known not to fit their step
 * (an `enum` of a step that the pipeline's own input does not have).
 */
export function planPipeline(
  pipeline: PipelineComponent,
  lookup: Lookup,
  values: JobValues,
): { readonly plan: PipelinePlan } | { readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const drafts: Draft[] = [];
  const places = new Map<string, string>();

  function layOut(one: PipelineComponent, prefix: string, given: Values): Outputs {
    const ordered = orderSteps(dependenciesOf(one.jobs));
    if ('cycle' in ordered) throw new Error(`The pipeline has a cycle: ${ordered.cycle.join(', ')}`);
    const made = new Map<string, Outputs>();
    const sourceOf = (source: Source): PlannedInput | undefined =>
      source.kind === 'input' ? own(given, source.name) : own(made.get(source.step) ?? {}, source.output);
    for (const name of ordered.order) {
      const step = own(one.jobs, name);
      const component = step && componentOf(step, lookup);
      if (step === undefined || component === undefined) throw new Error(`The step ${prefix}${name} has no component`);
      const path = prefix + name;
      const inputs = stepValues(component, step, sourceOf, (input, message) =>
        faults.push({ path: `jobs.${path.replaceAll('.', '.jobs.')}.inputs.${input}`, message }),
      );
      const outputs =
        component.type === 'pipeline' ? layOut(component, `${path}.`, inputs) : leaf(path, step, component, inputs);
      for (const [output, { uri }] of Object.entries(step.outputs)) {
        const from = own(outputs, output);
        if (uri !== undefined && from !== undefined) places.set(placeOf(from), uri);
      }
      made.set(name, outputs);
    }
    return publishedOutputs(one, (step, output) => own(made.get(step) ?? {}, output));
  }

  function leaf(path: string, step: Step, component: CommandComponent | ParallelComponent, inputs: Values): Outputs {
    const timeoutSeconds = step.timeoutSeconds ?? (component.type === 'command' ? component.timeoutSeconds : undefined);
    const command = component.type === 'command' ? component : undefined;
    drafts.push({
      path,
      displayName: step.displayName ?? component.displayName,
      component,
      reference: 'reference' in step.component ? step.component.reference : null,
      inputs,
      environment: step.environment ?? command?.environment ?? null,
      environmentVariables: { ...command?.environmentVariables, ...step.environmentVariables },
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
      compute: step.compute,
      overrides: component.type === 'parallel' ? { ...component.overrides, ...step.overrides } : {},
    });
    return Object.fromEntries(
      Object.entries(component.outputs).map(([output, { type }]) => [
        output,
        { from: 'output', step: path, output, type },
      ]),
    );
  }

  const published = layOut(pipeline, '', jobValues(values));
  return faults.length > 0 ? { faults } : { plan: finished(drafts, published, places) };
}

const placeOf = ({ step, output }: { readonly step: string; readonly output: string }): string => `${step}/${output}`;

const jobValues = (values: JobValues): Values =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value.kind === 'literal' ? { from: 'literal', value: value.text } : { from: 'jobInput', name, type: value.type },
    ]),
  );

/** A step's inputs with every binding followed and every default filled in. */
function stepValues(
  component: StepComponent,
  step: Step,
  sourceOf: (source: Source) => PlannedInput | undefined,
  fail: (input: string, message: string) => void,
): Values {
  const values: Record<string, PlannedInput> = {};
  for (const [name, port] of Object.entries(component.inputs)) {
    const given = own(step.inputs, name);
    const value = (given && followed(given, sourceOf)) ?? presetOf(port);
    if (value === undefined) continue;
    const read = port.kind === 'literal' && value.from === 'literal' ? readForPort(port, value.value) : undefined;
    if (read !== undefined && 'fault' in read) fail(name, read.fault);
    else values[name] = read === undefined ? value : { from: 'literal', value: read.text };
  }
  return values;
}

function presetOf(port: InputPort): PlannedInput | undefined {
  if (port.default === undefined) return undefined;
  return port.kind === 'literal'
    ? { from: 'literal', value: port.default }
    : { from: 'asset', type: port.type, uri: port.default };
}

/** Undefined for a binding to an optional input that the job did not give. */
function followed(given: StepInput, sourceOf: (source: Source) => PlannedInput | undefined): PlannedInput | undefined {
  if (given.kind === 'asset') return { from: 'asset', type: given.type, uri: given.uri };
  const source = wholeSource(given.value);
  if (source !== undefined) return sourceOf(source);
  const read = readBinding(given.value);
  const texts = ('parts' in read ? read.parts : []).map((part) => {
    if (typeof part === 'string') return part;
    const value = sourceOf(part);
    return value?.from === 'literal' ? value.value : '';
  });
  return { from: 'literal', value: texts.join('') };
}

/** The outputs of a pipeline: what its steps, or it itself, say becomes one. */
function publishedOutputs(
  pipeline: PipelineComponent,
  made: (step: string, output: string) => Outputs[string] | undefined,
): Outputs {
  const bound = Object.entries(pipeline.jobs).flatMap(([step, { outputs }]) =>
    Object.entries(outputs).map(([output, { value }]) => ({
      name: value === undefined ? undefined : parentOutput(value),
      from: made(step, output),
    })),
  );
  const own = Object.entries(pipeline.outputs).map(([name, { from }]) => {
    const source = from === undefined ? undefined : wholeSource(from);
    return { name, from: source?.kind === 'output' ? made(source.step, source.output) : undefined };
  });
  const published: Outputs = {};
  for (const { name, from } of [...bound, ...own]) if (name !== undefined && from !== undefined) published[name] = from;
  return published;
}

function finished(drafts: readonly Draft[], published: Outputs, places: ReadonlyMap<string, string>): PipelinePlan {
  const jobOutputs = new Map<string, string[]>();
  for (const [name, from] of Object.entries(published))
    jobOutputs.set(placeOf(from), [...(jobOutputs.get(placeOf(from)) ?? []), name]);
  const outputsOf = ({ path, component }: Draft): PlannedStep['outputs'] =>
    Object.fromEntries(
      Object.entries(component.outputs).map(([output, { type }]) => {
        const place = placeOf({ step: path, output });
        const uri = places.get(place);
        return [output, { type, ...(uri !== undefined && { uri }), jobOutputs: jobOutputs.get(place) ?? [] }];
      }),
    );
  const dependencies = new Map(
    drafts.map(({ path, inputs }) => [
      path,
      [...new Set(Object.values(inputs).flatMap((input) => (input.from === 'output' ? [input.step] : [])))],
    ]),
  );
  const dependents = new Map(drafts.map(({ path }): [string, string[]] => [path, []]));
  for (const [path, before] of dependencies) for (const step of before) dependents.get(step)?.push(path);
  return {
    steps: drafts.map((draft) => ({
      ...draft,
      outputs: outputsOf(draft),
      dependencies: dependencies.get(draft.path) ?? [],
      dependents: dependents.get(draft.path) ?? [],
    })),
    sources: drafts.flatMap(({ path }) => (dependencies.get(path)?.length === 0 ? [path] : [])),
    outputs: Object.fromEntries(
      Object.entries(published).map(([name, { step, output, type }]) => [name, { step, output, type }]),
    ),
  };
}

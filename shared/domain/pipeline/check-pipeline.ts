import { ApiError } from '../errors.ts';
import { parentOutput, readBinding, wholeSource, type Source } from './binding.ts';
import { inputFaults, names } from './check-inputs.ts';
import { componentOf, sizeFault, type Lookup } from './components.ts';
import { orderSteps, type Dependencies } from './graph.ts';
import type { Fault, PipelineComponent, Step, StepComponent } from './model.ts';
import { own } from './own.ts';

/** The steps that each step takes outputs from. What names no step is left out: that is a fault of its own. */
export function dependenciesOf(jobs: PipelineComponent['jobs']): Dependencies {
  const sourcesOf = (step: Step): Source[] =>
    Object.values(step.inputs).flatMap((input) => {
      const read = input.kind === 'value' ? readBinding(input.value) : undefined;
      return read === undefined || 'fault' in read ? [] : read.parts.filter((part) => typeof part !== 'string');
    });
  return new Map(
    Object.entries(jobs).map(([name, step]) => [
      name,
      new Set(
        sourcesOf(step).flatMap((source) =>
          source.kind === 'output' && Object.hasOwn(jobs, source.step) ? [source.step] : [],
        ),
      ),
    ]),
  );
}

/**
 * All that is wrong with a pipeline, each with the path of its field (`jobs.train.inputs.data`). Nested pipelines are checked
 * too, a component that is named twice once. An empty answer means that the pipeline can be planned.
 */
export function checkPipeline(pipeline: PipelineComponent, lookup: Lookup): Fault[] {
  const tooLarge = sizeFault(pipeline, lookup);
  if (tooLarge !== undefined) return [tooLarge];
  const seen = new Set<StepComponent>();
  const check = (one: PipelineComponent, at: string): Fault[] => {
    if (seen.has(one)) return [];
    seen.add(one);
    const nested = Object.entries(one.jobs).flatMap(([name, step]) => {
      const component = componentOf(step, lookup);
      return component?.type === 'pipeline' ? check(component, `${at}jobs.${name}.`) : [];
    });
    return [...levelFaults(one, lookup).map(({ path, message }) => ({ path: at + path, message })), ...nested];
  };
  return check(pipeline, '');
}

function levelFaults(pipeline: PipelineComponent, lookup: Lookup): Fault[] {
  const ordered = orderSteps(dependenciesOf(pipeline.jobs));
  const cycle =
    'cycle' in ordered
      ? [{ path: 'jobs', message: `has a cycle: ${[...ordered.cycle, ordered.cycle[0]].join(' -> ')}` }]
      : [];
  const steps = Object.entries(pipeline.jobs).flatMap(([name, step]) => stepFaults(pipeline, name, step, lookup));
  return [...cycle, ...steps, ...outputFaults(pipeline, lookup)];
}

function stepFaults(pipeline: PipelineComponent, name: string, step: Step, lookup: Lookup): Fault[] {
  const at = `jobs.${name}`;
  const component = componentOf(step, lookup);
  if (component === undefined) {
    const shown = 'reference' in step.component ? step.component.reference : '';
    return [{ path: `${at}.componentId`, message: `the component ${shown} does not exist` }];
  }
  if (component.type !== step.type)
    return [{ path: `${at}.type`, message: `is ${step.type}, but its component is a ${component.type}` }];
  const outputs = Object.entries(step.outputs).flatMap(([output, { value }]): Fault[] => {
    const path = `${at}.outputs.${output}`;
    if (!Object.hasOwn(component.outputs, output))
      return [{ path, message: `is no output of the component (it has ${names(component.outputs)})` }];
    if (value === undefined) return [];
    const parent = parentOutput(value);
    if (parent === undefined)
      return [{ path, message: `'${value.slice(0, 120)}' is no binding: use \${{parent.outputs.<output>}}` }];
    return Object.hasOwn(pipeline.outputs, parent)
      ? []
      : [{ path, message: `the pipeline has no output '${parent}' (it has ${names(pipeline.outputs)})` }];
  });
  const resolve = (source: Source) => resolveSource(pipeline, source, lookup);
  return [...inputFaults(component.inputs, step.inputs, `${at}.inputs`, resolve), ...outputs];
}

function resolveSource(
  pipeline: PipelineComponent,
  source: Source,
  lookup: Lookup,
): ReturnType<Parameters<typeof inputFaults>[3]> {
  if (source.kind === 'input') {
    const port = own(pipeline.inputs, source.name);
    return port === undefined
      ? { fault: `the pipeline has no input '${source.name}' (it has ${names(pipeline.inputs)})` }
      : { port };
  }
  const step = own(pipeline.jobs, source.step);
  if (step === undefined)
    return { fault: `the pipeline has no step '${source.step}' (it has ${names(pipeline.jobs)})` };
  const component = componentOf(step, lookup);
  if (component === undefined) return { fault: `the component of '${source.step}' does not exist` };
  const port = own(component.outputs, source.output);
  return port === undefined
    ? { fault: `the step '${source.step}' has no output '${source.output}' (it has ${names(component.outputs)})` }
    : { port };
}

/** Every output of a pipeline comes from one output of one step. */
function outputFaults(pipeline: PipelineComponent, lookup: Lookup): Fault[] {
  return Object.entries(pipeline.outputs).flatMap(([name, { from }]): Fault[] => {
    const path = `outputs.${name}`;
    const writers = Object.entries(pipeline.jobs).flatMap(([step, { outputs }]) =>
      Object.entries(outputs)
        .filter(([, { value }]) => value !== undefined && parentOutput(value) === name)
        .map(([output]) => `${step}.${output}`),
    );
    if (from === undefined) {
      if (writers.length === 1) return [];
      const message =
        writers.length === 0
          ? `no step writes it: bind the output of one to \${{parent.outputs.${name}}}`
          : `is written by more than one step: ${writers.join(', ')}`;
      return [{ path, message }];
    }
    const source = wholeSource(from);
    if (source?.kind !== 'output')
      return [
        { path, message: `'${from.slice(0, 120)}' is no binding: use \${{parent.jobs.<step>.outputs.<output>}}` },
      ];
    if (writers.length > 0) return [{ path, message: `is bound twice: to ${from} and by ${writers.join(', ')}` }];
    const found = resolveSource(pipeline, source, lookup);
    return 'fault' in found ? [{ path, message: found.fault }] : [];
  });
}

/** How many faults an answer names. */
const MAX_DETAILS = 20;

/** The answer to a request whose pipeline is wrong: Azure ML's envelope with a detail per fault. */
export function pipelineError(faults: readonly Fault[], prefix: string): ApiError {
  const details = faults.slice(0, MAX_DETAILS).map(({ path, message }) => {
    const target = [prefix, path].filter((part) => part !== '').join('.');
    return { code: 'UserError', message: `${target}: ${message}`, target };
  });
  const [first] = details;
  const others = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return new ApiError(400, 'UserError', `${first?.message ?? 'The pipeline is wrong'}${others}`, {
    ...(first && { target: first.target }),
    details,
  });
}

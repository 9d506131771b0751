import { a, isRequired, names } from './check-inputs.ts';
import { readForPort } from './literal.ts';
import type { Fault, InputPort, OutputPort, PathType, StepInput, StepOutput } from './model.ts';
import { own } from './own.ts';

/** An input of a job as it is known when the job is accepted. */
export type JobValue =
  | { readonly kind: 'literal'; /** As a command gets it. */ readonly text: string }
  | {
      readonly kind: 'path';
      readonly type: PathType;
      /** As sent: a data URI, or a reference to a data asset or model. */ readonly uri: string;
    };

export type JobValues = Readonly<Record<string, JobValue>>;

/** A file is no folder. A model may be either. */
export const isOther = (one: PathType, other: PathType): boolean =>
  one !== other && [one, other].every((type) => type === 'uri_file' || type === 'uri_folder');

/**
 * Fits what a job gives to the inputs of its pipeline: literals by their type, defaults filled in, optional ones that were not
 * given absent. Answers every fault, with the input's name as its path.
 */
export function bindInputs(
  ports: Readonly<Record<string, InputPort>>,
  given: Readonly<Record<string, StepInput>>,
): { readonly values: JobValues } | { readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const values: Record<string, JobValue> = {};
  const fail = (path: string, message: string) => void faults.push({ path, message });
  for (const name of Object.keys(given))
    if (!Object.hasOwn(ports, name))
      fail(name, `is no input of the pipeline (it has ${names(ports)}); inputs of its steps cannot be given`);
  for (const [name, port] of Object.entries(ports)) {
    const input = own(given, name);
    if (port.kind === 'path') {
      if (input?.kind === 'asset') {
        if (isOther(port.type, input.type)) fail(name, `takes ${a(port.type)}, not ${a(input.type)}`);
        else values[name] = { kind: 'path', type: input.type, uri: input.uri };
      } else if (input !== undefined) fail(name, `takes ${a(port.type)}: give its type and uri, not a literal`);
      else if (port.default !== undefined) values[name] = { kind: 'path', type: port.type, uri: port.default };
      else if (isRequired(port)) fail(name, `is required: ${a(port.type)}`);
      continue;
    }
    if (input?.kind === 'asset') {
      fail(name, `takes ${a(port.type)}, not ${a(input.type)}`);
      continue;
    }
    const value = input?.value ?? port.default;
    if (value === undefined) {
      if (isRequired(port)) fail(name, `is required: ${a(port.type)}`);
      continue;
    }
    const read = readForPort(port, value);
    if ('fault' in read) fail(name, read.fault);
    else values[name] = { kind: 'literal', text: read.text };
  }
  return faults.length > 0 ? { faults } : { values };
}

/** What is wrong with the outputs that a job names: each must be the pipeline's, and a place and no binding. */
export function jobOutputFaults(
  ports: Readonly<Record<string, OutputPort>>,
  given: Readonly<Record<string, StepOutput>>,
): Fault[] {
  return Object.entries(given).flatMap(([name, { value }]): Fault[] => {
    if (!Object.hasOwn(ports, name))
      return [{ path: name, message: `is no output of the pipeline (it has ${names(ports)})` }];
    return value === undefined
      ? []
      : [{ path: name, message: `is a place: give its uri, not the text '${value.slice(0, 80)}'` }];
  });
}

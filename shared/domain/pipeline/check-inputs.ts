import { readBinding, type BoundPart, type Source } from './binding.ts';
import { fitsLiteral, readForPort } from './literal.ts';
import type { Fault, InputPort, LiteralPort, OutputPort, StepInput } from './model.ts';
import { own } from './own.ts';

/** What a source gives: a port of the pipeline, or an output of a step; a sentence when it does not exist. */
export type Resolve = (source: Source) => { readonly port: InputPort | OutputPort } | { readonly fault: string };

export const names = (record: object): string => Object.keys(record).join(', ') || 'none';

/** True for an input that a job may leave out without a value taking its place. */
export const mayBeAbsent = (port: InputPort): boolean => port.optional && port.default === undefined;

export const isRequired = (port: InputPort): boolean => !port.optional && port.default === undefined;

/** A type with its article. */
export const a = (type: string): string => (/^(integer|any|mlflow_model)$/.test(type) ? `an ${type}` : `a ${type}`);

const isInput = (port: InputPort | OutputPort): port is InputPort => 'kind' in port;
const literalOf = (port: InputPort | OutputPort): LiteralPort | undefined =>
  isInput(port) && port.kind === 'literal' ? port : undefined;

/** Checks what a step is given against its component's inputs. */
export function inputFaults(
  ports: Readonly<Record<string, InputPort>>,
  given: Readonly<Record<string, StepInput>>,
  path: string,
  resolve: Resolve,
): Fault[] {
  const faults: Fault[] = [];
  for (const [name, input] of Object.entries(given)) {
    const port = own(ports, name);
    const message =
      port === undefined
        ? `is no input of the component (it has ${names(ports)})`
        : input.kind === 'asset'
          ? port.kind === 'path'
            ? undefined
            : `takes ${a(port.type)}, not ${a(input.type)}`
          : valueFault(port, input.value, resolve);
    if (message !== undefined) faults.push({ path: `${path}.${name}`, message });
  }
  for (const [name, port] of Object.entries(ports))
    if (isRequired(port) && !Object.hasOwn(given, name))
      faults.push({ path: `${path}.${name}`, message: `is required: ${a(port.type)}` });
  return faults;
}

function valueFault(port: InputPort, value: string, resolve: Resolve): string | undefined {
  const read = readBinding(value);
  if ('fault' in read) return read.fault;
  const [first, ...more] = read.parts;
  if (first === undefined || (typeof first === 'string' && more.length === 0)) return literalFault(port, first ?? '');
  return typeof first !== 'string' && more.length === 0
    ? sourceFault(port, first, resolve)
    : mixedFault(port, read.parts, resolve);
}

function literalFault(port: InputPort, text: string): string | undefined {
  if (port.kind === 'path')
    return `takes ${a(port.type)}: give {type: ${port.type}, path: ...} or a binding, not the text '${text.slice(0, 80)}'`;
  const read = readForPort(port, text);
  return 'fault' in read ? read.fault : undefined;
}

function sourceFault(port: InputPort, source: Source, resolve: Resolve): string | undefined {
  const found = resolve(source);
  if ('fault' in found) return found.fault;
  const from = literalOf(found.port);
  if (port.kind === 'path') {
    if (from !== undefined)
      return `takes ${a(port.type)}, and is bound to a literal${from.type === 'any' ? '' : ` (${from.type})`}`;
  } else {
    if (from === undefined) return `takes ${a(port.type)}, and is bound to ${a(found.port.type)}`;
    if (!fitsLiteral(from.type, port.type)) return `takes ${a(port.type)}, and is bound to ${a(from.type)}`;
    // What a job gives is known by now.
    const read = from.type === 'any' && from.default !== undefined ? readForPort(port, from.default) : undefined;
    if (read !== undefined && 'fault' in read) return read.fault;
  }
  return isRequired(port) && isInput(found.port) && mayBeAbsent(found.port)
    ? 'is required, and is bound to an optional input, which may be absent'
    : undefined;
}

function mixedFault(port: InputPort, parts: readonly BoundPart[], resolve: Resolve): string | undefined {
  if (port.kind === 'path') return `takes ${a(port.type)}: a binding to one may have no text around it`;
  if (port.type !== 'string' && port.type !== 'any')
    return `takes ${a(port.type)}: a binding may have text around it only in a string`;
  for (const part of parts) {
    if (typeof part === 'string') continue;
    const found = resolve(part);
    if ('fault' in found) return found.fault;
    const from = literalOf(found.port);
    if (from === undefined) return `puts ${a(found.port.type)} into a text: only literals fit there`;
    if (mayBeAbsent(from)) return 'puts an optional input into a text, where it may be absent';
  }
  return undefined;
}

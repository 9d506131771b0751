import type { InputPort, OutputPort } from './model.ts';
import { shellScript, type ScriptPart } from './shell-script.ts';

/**
 * A command's text: a shell's own, with `${{inputs.x}}` and `${{outputs.y}}` in it, and parts `$[[ ... ]]` that are left out when
 * an input in them is absent.
 */

export interface Reference {
  readonly room: 'inputs' | 'outputs';
  readonly name: string;
}

export type TemplatePart = string | Reference;

/** A stretch of the text; an optional one was in `$[[ ]]`. */
export interface Stretch {
  readonly optional: boolean;
  readonly parts: readonly TemplatePart[];
}

interface Ports {
  readonly inputs: Readonly<Record<string, InputPort>>;
  readonly outputs: Readonly<Record<string, OutputPort>>;
}

const REFERENCE = /\$\{\{(.*?)\}\}/gs;
const NAMED = /^\s*(inputs|outputs)\.([\w.-]+)\s*$/;

/** Throws a sentence for a text that is no template. */
class TemplateFault extends Error {}

function partsOf(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (const match of text.matchAll(REFERENCE)) {
    parts.push(text.slice(from, match.index));
    const [whole, inner = ''] = match;
    const [, room, name = ''] = NAMED.exec(inner) ?? [];
    if (room !== 'inputs' && room !== 'outputs')
      throw new TemplateFault(
        `${whole.slice(0, 80)} is unknown: a command may name \${{inputs.x}} and \${{outputs.y}}`,
      );
    parts.push({ room, name });
    from = match.index + whole.length;
  }
  parts.push(text.slice(from));
  if (parts.some((part) => typeof part === 'string' && part.includes('${{')))
    throw new TemplateFault('has a ${{ without its }}');
  return parts.filter((part) => part !== '');
}

/** Cuts the text at `$[[` and the next `]]`. */
function stretchesOf(text: string): Stretch[] {
  const stretches: Stretch[] = [];
  let from = 0;
  for (let open = text.indexOf('$[['); open !== -1; open = text.indexOf('$[[', from)) {
    const close = text.indexOf(']]', open);
    if (close === -1) throw new TemplateFault('has a $[[ without its ]]');
    const inside = text.slice(open + 3, close);
    if (inside.includes('$[[')) throw new TemplateFault('has a $[[ inside a $[[');
    stretches.push({ optional: false, parts: partsOf(text.slice(from, open)) });
    stretches.push({ optional: true, parts: partsOf(inside) });
    from = close + 2;
  }
  stretches.push({ optional: false, parts: partsOf(text.slice(from)) });
  return stretches.filter(({ parts }) => parts.length > 0);
}

/** The template's stretches, or why the text is none. */
export function readTemplate(text: string): { readonly stretches: readonly Stretch[] } | { readonly fault: string } {
  try {
    return { stretches: stretchesOf(text) };
  } catch (error) {
    if (error instanceof TemplateFault) return { fault: error.message };
    throw error;
  }
}

/** The port that a reference means: `${{inputs.x}}`, and `${{inputs.x.path}}` of a file or folder. */
export function portNamed(ports: Ports, { room, name }: Reference): string | undefined {
  if (Object.hasOwn(ports[room], name)) return name;
  const base = /^(.+)\.path$/.exec(name)?.[1];
  if (base === undefined || !Object.hasOwn(ports[room], base)) return undefined;
  return room === 'outputs' || ports.inputs[base]?.kind === 'path' ? base : undefined;
}

/** All that is wrong with a component's command: references that lead nowhere, and places where a shell takes no value. */
export function commandFaults(command: string, ports: Ports): string[] {
  const template = readTemplate(command);
  if ('fault' in template) return [template.fault];
  const faults: string[] = [];
  for (const { optional, parts } of template.stretches)
    for (const part of parts) {
      if (typeof part === 'string') continue;
      const name = portNamed(ports, part);
      const shown = `\${{${part.room}.${part.name}}}`;
      if (name === undefined) {
        const known = Object.keys(ports[part.room]).join(', ') || 'none';
        faults.push(`${shown} names no ${part.room.slice(0, -1)} of the component (it has ${known})`);
      } else if (!optional && part.room === 'inputs' && mayBeAbsent(ports.inputs[name]))
        faults.push(`${shown} is optional and may be absent: put what needs it in $[[ ]]`);
    }
  if (faults.length > 0) return faults;
  // With and without its optional parts: a quote may open in one.
  const asScript = (kept: readonly Stretch[]) => shellScript(kept.flatMap(({ parts }) => parts).map(asVariable));
  const scripts = [template.stretches, template.stretches.filter(({ optional }) => !optional)].map(asScript);
  return [...new Set(scripts.flatMap((script) => ('faults' in script ? script.faults : [])))];
}

const mayBeAbsent = (port: InputPort | undefined): boolean =>
  port !== undefined && port.optional && (port.kind === 'path' || port.default === undefined);

const asVariable = (part: TemplatePart): ScriptPart =>
  typeof part === 'string' ? part : { variable: 'V', shown: `\${{${part.room}.${part.name}}}` };

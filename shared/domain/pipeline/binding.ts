/** `${{parent.inputs.x}}`, `${{parent.jobs.a.outputs.b}}` and `${{parent.outputs.c}}`: how steps are tied together. */

export type Source =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'output'; readonly step: string; readonly output: string };

export type BoundPart = string | Source;

const EXPRESSION = /\$\{\{(.*?)\}\}/gs;
const INPUT = /^\s*parent\.inputs\.([\w.-]+)\s*$/;
const OUTPUT = /^\s*parent\.jobs\.([\w-]+)\.outputs\.([\w.-]+)\s*$/;
const OWN_OUTPUT = /^\s*\$\{\{\s*parent\.outputs\.([\w.-]+)\s*\}\}\s*$/;

function sourceOf(expression: string): Source | undefined {
  const input = INPUT.exec(expression)?.[1];
  if (input !== undefined) return { kind: 'input', name: input };
  const [, step, output] = OUTPUT.exec(expression) ?? [];
  return step === undefined || output === undefined ? undefined : { kind: 'output', step, output };
}

/** The texts and sources of a step's input, in order; a literal is one text. Answers a sentence for what binds to nothing. */
export function readBinding(value: string): { readonly parts: readonly BoundPart[] } | { readonly fault: string } {
  const parts: BoundPart[] = [];
  let from = 0;
  for (const match of value.matchAll(EXPRESSION)) {
    const [whole, expression = ''] = match;
    const source = sourceOf(expression);
    if (source === undefined)
      return {
        fault: `${whole.slice(0, 120)} binds to nothing: use \${{parent.inputs.<input>}} or \${{parent.jobs.<step>.outputs.<output>}}`,
      };
    parts.push(value.slice(from, match.index), source);
    from = match.index + whole.length;
  }
  const kept = [...parts, value.slice(from)].filter((part) => part !== '');
  return { parts: kept.length === 0 ? [''] : kept };
}

/** The source that a text is, when it is nothing else. */
export function wholeSource(value: string): Source | undefined {
  const read = readBinding(value);
  const [first, ...more] = 'parts' in read ? read.parts : [];
  return first === undefined || typeof first === 'string' || more.length > 0 ? undefined : first;
}

/** The pipeline's output that a step's output becomes. */
export const parentOutput = (value: string): string | undefined => OWN_OUTPUT.exec(value)?.[1];

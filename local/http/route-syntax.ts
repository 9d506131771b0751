/** `{*name:constraint(1,2):other=default}` or `{name?}`, taken apart. */
export interface ParameterSyntax {
  readonly name: string;
  readonly catchAll: boolean;
  readonly constraints: readonly string[];
  readonly optional: boolean;
  readonly fallback: string | undefined;
}

/** The segments of a route template. A slash inside braces separates nothing: a pattern may have one. */
export function splitTemplate(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (character === '/' && depth === 0) parts.push('');
    else parts.push(`${parts.pop() ?? ''}${character}`);
  }
  return parts;
}

/** Takes a segment that is one parameter apart; undefined when it is anything else. */
export function parseParameter(segment: string): ParameterSyntax | undefined {
  const found = /^\{(?<star>\*{0,2})(?<name>\w+)(?<rest>.*)\}$/s.exec(segment)?.groups;
  const name = found?.['name'];
  if (found === undefined || name === undefined) return undefined;
  const { star = '', rest = '' } = found;
  const constraints: string[] = [];
  let position = 0;
  while (rest[position] === ':') {
    const end = endOfConstraint(rest, position + 1);
    // Braces of a pattern are written twice in a template.
    constraints.push(
      rest
        .slice(position + 1, end)
        .replaceAll('{{', '{')
        .replaceAll('}}', '}'),
    );
    position = end;
  }
  const tail = rest.slice(position);
  if (tail !== '' && tail !== '?' && !tail.startsWith('=')) return undefined;
  const fallback = tail.startsWith('=') ? tail.slice(1) : undefined;
  return { name, catchAll: star !== '', constraints, optional: tail === '?', fallback };
}

/** A constraint ends before the next colon, question mark or equals sign that is not in its parentheses. */
function endOfConstraint(text: string, start: number): number {
  let position = start;
  while (position < text.length && !/[:?=(]/.test(text.charAt(position))) position++;
  if (text[position] !== '(') return position;
  // The closing parenthesis is the last one that something may follow: patterns have parentheses of their own.
  for (let end = position + 1; end <= text.length; end++) {
    if (text[end - 1] === ')' && (end === text.length || /[:?=]/.test(text.charAt(end)))) {
      if (isBalanced(text.slice(position, end))) return end;
    }
  }
  return text.length;
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === '(') depth++;
    else if (text[index] === ')') depth--;
  }
  return depth === 0;
}

import { randomUUID } from 'node:crypto';

/** What `{name}` in a binding's path may stand for. */
export type BindingData = Readonly<Record<string, unknown>>;

/**
 * Fills a binding expression: `{name}` and `{a.b}` from the data, in any case, `{rand-guid}` (also `:N`), `{DateTime}`
 * (also with a format such as `:yyyy-MM-dd`), in UTC. Throws when a name has no value.
 */
export function fillExpression(text: string, data: BindingData): string {
  return text.replace(/\{([^{}]*)\}/g, (_, expression: string) => {
    const [name = '', format = ''] = splitOnce(expression, ':');
    if (name.toLowerCase() === 'rand-guid') {
      return format.toUpperCase() === 'N' ? randomUUID().replaceAll('-', '') : randomUUID();
    }
    if (name.toLowerCase() === 'datetime') return formatTime(new Date(), format);
    const value = lookUp(data, name.split('.'));
    if (value === undefined) throw new Error(`No value for named parameter '${name}' in "${text}".`);
    return value;
  });
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function lookUp(data: unknown, path: readonly string[]): string | undefined {
  let value = data;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    const key = Object.keys(value).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    value = key === undefined ? undefined : Reflect.get(value, key);
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function formatTime(date: Date, format: string): string {
  const iso = date.toISOString();
  if (format === '') return `${iso.slice(0, 10)}T${iso.slice(11, 19).replaceAll(':', '-')}Z`;
  const parts: Record<string, string> = {
    ...{ yyyy: iso.slice(0, 4), yy: iso.slice(2, 4), MM: iso.slice(5, 7), dd: iso.slice(8, 10) },
    ...{ HH: iso.slice(11, 13), mm: iso.slice(14, 16), ss: iso.slice(17, 19), fff: iso.slice(20, 23) },
  };
  return format.replace(/yyyy|yy|MM|dd|HH|mm|ss|fff/g, (part) => parts[part] ?? part);
}

/** One segment of a route template; `rank` orders templates, the most specific first, as ASP.NET does. */
type Segment =
  | { readonly kind: 'literal'; readonly text: string; readonly rank: 1 }
  | {
      readonly kind: 'parameter';
      readonly name: string;
      readonly accepts: (value: string) => boolean;
      readonly optional: boolean;
      readonly fallback: string | undefined;
      readonly rank: 2 | 3;
    }
  | { readonly kind: 'rest'; readonly name: string; readonly rank: 5 };

export interface RouteTemplate {
  readonly text: string;
  /** The parameters of a path that matches; undefined when it does not. Absent optional ones are left out. */
  match(segments: readonly string[]): Record<string, string> | undefined;
  readonly ranks: readonly number[];
}

const constraints: Readonly<Record<string, RegExp>> = {
  int: /^-?\d{1,10}$/,
  long: /^-?\d{1,19}$/,
  bool: /^(true|false)$/i,
  guid: /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i,
  alpha: /^[a-z]*$/i,
};

/** Compiles an ASP.NET route template. Throws with the template's text on what this host does not understand. */
export function compileRoute(text: string): RouteTemplate {
  const parts = text.split('/').filter((part) => part !== '');
  const segments = parts.map((part, index) => compileSegment(part, text, index === parts.length - 1));
  return {
    text: parts.join('/'),
    ranks: segments.map((segment) => segment.rank),
    match: (path) => match(segments, path),
  };
}

function compileSegment(part: string, template: string, last: boolean): Segment {
  if (!/[{}]/.test(part)) return { kind: 'literal', text: part.toLowerCase(), rank: 1 };
  const found = /^\{(?<star>\*{0,2})(?<name>\w+)(?<constraints>(?::[^:?=}]+)*)(?<end>\?|=[^}]*)?\}$/.exec(part)?.groups;
  const name = found?.['name'];
  if (found === undefined || name === undefined) {
    throw new Error(`The route "${template}" has a segment that this host does not support: "${part}".`);
  }
  const { star = '', constraints: list = '', end = '' } = found;
  if (star !== '') {
    if (!last) throw new Error(`The route "${template}" has a catch-all that is not its last segment.`);
    return { kind: 'rest', name, rank: 5 };
  }
  const patterns = list
    .split(':')
    .slice(1)
    .map((constraint) => {
      const pattern = constraints[constraint];
      if (pattern === undefined) throw new Error(`The route "${template}" has the unknown constraint "${constraint}".`);
      return pattern;
    });
  return {
    kind: 'parameter',
    name,
    accepts: (value) => patterns.every((pattern) => pattern.test(value)),
    optional: end === '?' && last,
    fallback: end.startsWith('=') ? end.slice(1) : undefined,
    rank: patterns.length > 0 ? 2 : 3,
  };
}

function match(segments: readonly Segment[], path: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const value = path[index];
    if (segment.kind === 'rest') {
      if (value !== undefined) params[segment.name] = path.slice(index).join('/');
      return params;
    }
    if (segment.kind === 'literal') {
      if (value?.toLowerCase() !== segment.text) return undefined;
    } else if (value === undefined) {
      if (segment.fallback !== undefined) params[segment.name] = segment.fallback;
      else if (!segment.optional) return undefined;
    } else {
      if (value === '' || !segment.accepts(value)) return undefined;
      params[segment.name] = value;
    }
  }
  return path.length > segments.length ? undefined : params;
}

/** Most specific first: literal, constrained parameter, parameter, catch-all, segment by segment. */
export function compareRoutes(a: RouteTemplate, b: RouteTemplate): number {
  for (let index = 0; index < Math.max(a.ranks.length, b.ranks.length); index++) {
    const difference = (a.ranks[index] ?? 0) - (b.ranks[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

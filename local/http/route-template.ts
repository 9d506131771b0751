import { compileConstraint, type Accepts } from './route-constraints.ts';
import { parseParameter, splitTemplate } from './route-syntax.ts';

interface Parameter {
  readonly name: string;
  readonly accepts: Accepts;
  readonly fallback: string | undefined;
}

/** One segment of a route template; `rank` orders templates, the most specific first, as ASP.NET does. */
type Segment =
  | { readonly kind: 'literal'; readonly text: string; readonly rank: 1 }
  | (Parameter & { readonly kind: 'parameter'; readonly optional: boolean; readonly rank: 2 | 3 })
  | (Parameter & { readonly kind: 'rest'; readonly rank: 4 | 5 });

export interface RouteTemplate {
  readonly text: string;
  /** The parameters of a path that matches; undefined when it does not. Absent optional ones are left out. */
  match(segments: readonly string[]): Record<string, string> | undefined;
  readonly ranks: readonly number[];
}

/** Compiles an ASP.NET route template. Throws with the template's text on what this host does not understand. */
export function compileRoute(text: string): RouteTemplate {
  const parts = splitTemplate(text).filter((part) => part !== '');
  const segments = parts.map((part, index) => compileSegment(part, text, index === parts.length - 1));
  const names = segments.flatMap((segment) => (segment.kind === 'literal' ? [] : [segment.name.toLowerCase()]));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`The route "${text}" has the parameter "${twice}" twice.`);
  return {
    text: parts.join('/'),
    ranks: segments.map((segment) => segment.rank),
    match: (path) => match(segments, path),
  };
}

function compileSegment(part: string, template: string, last: boolean): Segment {
  if (!/[{}]/.test(part)) return { kind: 'literal', text: part.toLowerCase(), rank: 1 };
  const parsed = parseParameter(part);
  if (parsed === undefined) {
    throw new Error(`The route "${template}" has a segment that this host does not support: "${part}".`);
  }
  const { name, catchAll, constraints, optional, fallback } = parsed;
  const tests = constraints.map((constraint) => knownConstraint(constraint, template));
  const parameter = { name, fallback, accepts: (value: string) => tests.every((test) => test(value)) };
  const constrained = tests.length > 0;
  if (!catchAll) return { ...parameter, kind: 'parameter', optional: optional && last, rank: constrained ? 2 : 3 };
  if (!last) throw new Error(`The route "${template}" has a catch-all that is not its last segment.`);
  return { ...parameter, kind: 'rest', rank: constrained ? 4 : 5 };
}

function knownConstraint(constraint: string, template: string): Accepts {
  let accepts: Accepts | undefined;
  try {
    accepts = compileConstraint(constraint);
  } catch (error) {
    throw new Error(`The route "${template}" has a constraint that is not valid: "${constraint}".`, { cause: error });
  }
  if (accepts === undefined) throw new Error(`The route "${template}" has the unknown constraint "${constraint}".`);
  return accepts;
}

function match(segments: readonly Segment[], path: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const value = segment.kind === 'rest' ? path.slice(index).join('/') : path[index];
    if (segment.kind === 'literal') {
      if (value?.toLowerCase() !== segment.text) return undefined;
    } else if (path[index] === undefined) {
      if (segment.fallback !== undefined) params[segment.name] = segment.fallback;
      else if (segment.kind === 'parameter' && !segment.optional) return undefined;
    } else {
      if (value === undefined || value === '' || !segment.accepts(value)) return undefined;
      params[segment.name] = value;
    }
    if (segment.kind === 'rest') return params;
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

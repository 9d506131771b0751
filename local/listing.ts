import type { RegisteredFunction } from './functions.ts';
import { urlOf, type Route } from './http/router.ts';

const served = ['http', 'orchestration', 'activity', 'entity', 'queue', 'blob', 'timer'].map(
  (kind) => `${kind}Trigger`,
);

/** The list that Core Tools print when they are ready: HTTP functions first, then the others with their trigger. */
export function listFunctions(
  functions: readonly RegisteredFunction[],
  routes: readonly Route[],
  origin: string,
): string[] {
  const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name);
  const http = routes.map((route) => ({
    name: route.fn.name,
    line: `\t${route.fn.name}: [${route.methods.join(',')}] ${urlOf(route, origin)}`,
  }));
  const others = functions
    .filter((fn) => fn.triggerType !== 'httpTrigger')
    .map((fn) => ({ name: fn.name, line: `\t${fn.name}: ${fn.triggerType}` }));
  const lines = [...http.sort(byName), ...others.sort(byName)].map(({ line }) => line);
  return ['', 'Functions:', '', ...lines.flatMap((line) => [line, ''])];
}

/** One loud line for each function whose trigger nothing in this host fires. */
export function unservedTriggers(functions: readonly RegisteredFunction[]): string[] {
  return functions
    .filter((fn) => !served.includes(fn.triggerType))
    .map((fn) => `The embedded host does not serve ${fn.triggerType}: '${fn.name}' will NOT run.`);
}

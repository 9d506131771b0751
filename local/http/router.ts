import type { RegisteredFunction } from '../functions.ts';
import { compareRoutes, compileRoute, type RouteTemplate } from './route-template.ts';

export interface Route {
  readonly fn: RegisteredFunction;
  readonly template: RouteTemplate;
  /** Upper case. */
  readonly methods: readonly string[];
}

export interface RouteMatch {
  readonly fn: RegisteredFunction;
  readonly params: Record<string, string>;
}

/** Where a function is called; its parameters stay in braces. */
export const urlOf = ({ template }: Route, origin: string): string => `${origin}/${template.text}`;

/** What a trigger without methods answers. */
const defaultMethods = ['GET', 'POST'];

/**
 * The routes of all HTTP functions, most specific first. Throws on a route that the real host would refuse: one that
 * begins with "admin" or "runtime".
 */
export function createRoutes(functions: readonly RegisteredFunction[], routePrefix: string): Route[] {
  const routes = functions
    .filter((fn) => fn.triggerType === 'httpTrigger')
    .map((fn) => {
      // An empty route is as good as none, on the real host too.
      const route = (fn.route || fn.name).replace(/^\/+/, '');
      if (/^(admin|runtime)/i.test(route)) {
        throw new Error(
          `The route "${route}" of the function '${fn.name}' begins with a reserved word (admin, runtime).`,
        );
      }
      const methods = fn.methods.length > 0 ? fn.methods : defaultMethods;
      return { fn, template: compileRoute(`${routePrefix}/${route}`), methods };
    });
  return routes.sort((a, b) => compareRoutes(a.template, b.template));
}

/** Methods are part of the route: another method is not found, as on the real host. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  segments: readonly string[],
): RouteMatch | undefined {
  for (const { fn, template, methods } of routes) {
    if (!methods.includes(method)) continue;
    const params = template.match(segments);
    if (params !== undefined) return { fn, params };
  }
  return undefined;
}

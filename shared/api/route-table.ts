import type { Hono } from 'hono';
import type { ApiEnv } from './context.ts';

/**
 * What the app answers, as `METHOD /path/:name` in order of registration and without middleware: one table, read from the
 * router itself, so that a route cannot be forgotten by the test that goes through it (test/unit/api/routes.test.ts).
 */
export function routeTable(app: Hono<ApiEnv>): string[] {
  const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
  return [...new Set(routes)];
}

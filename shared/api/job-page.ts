import { Hono } from 'hono';
import { notFound } from '../domain/errors.ts';
import { isJobName } from '../domain/management-names.ts';
import type { ApiEnv } from './context.ts';

/**
 * Where the Studio link of a job leads (contract 3.5). A browser that follows it brings no token, so the page tells nothing that
 * is not in its address.
 */
export function jobPageRoutes(): Hono<ApiEnv> {
  return new Hono<ApiEnv>().get('/:job', (c) => {
    const name = c.req.param('job').toLowerCase();
    if (!isJobName(name)) throw notFound('There is no job of this name.');
    return c.html(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title><h1>Job ${name}</h1>` +
        `<p>See its state with <code>ml_client.jobs.get("${name}")</code> and its log with ` +
        `<code>ml_client.jobs.stream("${name}")</code>.</p></html>`,
    );
  });
}

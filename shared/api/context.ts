import type { Context } from 'hono';
import { bearerToken } from '../auth/bearer.ts';
import { callerOf, type Caller } from '../auth/caller.ts';
import type { Action } from '../auth/may.ts';
import type { Principal } from '../auth/principal.ts';
import { jobLogChunks, type JobLogs } from '../steps/job-log-chunks.ts';
import { appKey } from '../storage/registry/app-key.ts';
import { etagOf } from '../domain/resources.ts';
import type { Author } from '../steps/write-resource.ts';
import type { ApiDeps } from './deps.ts';
import { signedIds, type SignedIds } from './signed-ids.ts';

/** What the edge knows about a request when a route runs. Routes that need no token have neither. */
export interface ApiEnv {
  Variables: { principal: Principal; action: Action; maxBodyBytes: number };
}
export type ApiContext = Context<ApiEnv>;

/** The dependencies of routes, with what is made from them once. */
export interface RouteDeps extends ApiDeps {
  readonly ids: SignedIds;
  readonly logs: JobLogs;
}

export const routeDeps = (deps: ApiDeps): RouteDeps => ({
  ...deps,
  ids: signedIds(appKey(deps.systemBlobs)),
  logs: jobLogChunks(deps.systemBlobs),
});

/** Who sends a request, and in which state of the resource. */
export const authorOf = (c: ApiContext): Author => ({
  subject: c.var.principal.subject,
  ifMatch: c.req.header('if-match'),
});

/** For whom a request makes a job, or declares what jobs may use. */
export const jobCaller = (c: ApiContext, { grants }: Pick<ApiDeps, 'grants'>): Caller =>
  callerOf(c.var.principal, bearerToken(c.req.header('authorization')) ?? '', grants);

/** A resource's answer says which state it shows. */
export const etagHeader = (record: object): { ETag: string } => ({ ETag: etagOf(record) });

export const isoNow = (deps: Pick<ApiDeps, 'clock'>): string => new Date(deps.clock.now()).toISOString();

/** A request's URL as the client wrote it: behind a proxy the host that we see is another. */
export function publicUrl(deps: ApiDeps, request: Request): URL {
  const { pathname, search } = new URL(request.url);
  return new URL(`${deps.baseUrl(request)}${pathname}${search}`);
}

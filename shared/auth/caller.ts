import { mayUseData, type DataGrant, type DataUse } from './data-grants.ts';
import { may, type Resource } from './may.ts';
import type { Principal } from './principal.ts';

/** For whom a job is made, and so which data the app may use for it. */
export interface Caller {
  readonly subject: string;
  readonly name?: string | undefined;
  /** The token by which the caller can be asked to lend their own rights, or why there is none. It is neither kept nor logged. */
  readonly person: { readonly token: string } | { readonly reason: string };
  mayUse(use: DataUse): boolean;
  /** Whether this job is there for the caller, so that its output may be an input. */
  mayRead(job: Resource): boolean;
}

const NO_TOKEN = {
  app: "the token is an app's own (a service principal, a managed identity, Azure Data Factory), and only people's can be exchanged",
  foreign: 'the token was made for another service and cannot be exchanged; ask for one for this app',
  nobody: 'queues and steps of pipelines bring no token',
};

/** `token`: the caller's own, as it came. */
export const callerOf = (principal: Principal, token: string, grants: readonly DataGrant[]): Caller => ({
  subject: principal.subject,
  name: principal.name,
  person: principal.kind === 'person' ? { token } : { reason: NO_TOKEN[principal.kind] },
  mayUse: (use) => mayUseData(grants, principal, use),
  mayRead: (job) => may(principal, 'jobs/read', job),
});

/** A queue or a watch: nobody's roles, nobody's jobs. */
export const triggerCaller = (subject: string, grants: readonly DataGrant[]): Caller => ({
  subject,
  person: { reason: NO_TOKEN.nobody },
  mayUse: (use) => mayUseData(grants, undefined, use),
  mayRead: ({ createdBy }) => createdBy === subject,
});

/** A step of a pipeline, whose data was checked when the pipeline was submitted, and the author of the pipeline. */
export const unlimitedCaller = (subject: string): Caller => ({
  subject,
  person: { reason: NO_TOKEN.nobody },
  mayUse: () => true,
  mayRead: () => true,
});

/** The same, where the caller's own rights decide what may be used, and not the app's. */
export const asInvoker = (caller: Caller): Caller => ({ ...caller, mayUse: () => true });

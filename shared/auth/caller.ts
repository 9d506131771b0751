import { mayUseData, type DataGrant, type DataUse } from './data-grants.ts';
import { may, type Resource } from './may.ts';
import type { Principal } from './principal.ts';

/** For whom a job is made, and so which data the app may use for it. */
export interface Caller {
  readonly subject: string;
  mayUse(use: DataUse): boolean;
  /** Whether this job is there for the caller, so that its output may be an input. */
  mayRead(job: Resource): boolean;
}

export const callerOf = (principal: Principal, grants: readonly DataGrant[]): Caller => ({
  subject: principal.subject,
  mayUse: (use) => mayUseData(grants, principal, use),
  mayRead: (job) => may(principal, 'jobs/read', job),
});

/** A queue or a watch: nobody's roles, nobody's jobs. */
export const triggerCaller = (subject: string, grants: readonly DataGrant[]): Caller => ({
  subject,
  mayUse: (use) => mayUseData(grants, undefined, use),
  mayRead: ({ createdBy }) => createdBy === subject,
});

/** A step of a pipeline, whose data was checked when the pipeline was submitted, and the author of the pipeline. */
export const unlimitedCaller = (subject: string): Caller => ({ subject, mayUse: () => true, mayRead: () => true });

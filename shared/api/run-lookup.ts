import { childRunOf, jobOfChildRun } from '../domain/child-run.ts';
import { notFound } from '../domain/errors.ts';
import { isJobName } from '../domain/management-names.ts';
import { viewJob, type JobView } from '../steps/job-view.ts';
import type { RouteDeps } from './context.ts';
import { workspaceIdOf } from './resource-ids.ts';

/** A job, or the one child run of a job: the scoring step, which clients download from. */
export interface FoundRun {
  readonly runId: string;
  readonly view: JobView;
  readonly isChild: boolean;
}

export const parentRun = (view: JobView): FoundRun => ({ runId: view.spec.name, view, isChild: false });

export const childRun = (view: JobView): FoundRun => ({ runId: childRunOf(view.spec.name), view, isChild: true });

/** A job or child run by its name in any case. Throws ApiError 404. */
export async function runOf(deps: RouteDeps, written: string): Promise<FoundRun> {
  const name = written.toLowerCase();
  if (isJobName(name)) {
    const view = await viewJob(deps, name);
    if (view) return parentRun(view);
    const parent = jobOfChildRun(name);
    const viewOfParent = parent === undefined ? undefined : await viewJob(deps, parent);
    if (viewOfParent) return childRun(viewOfParent);
  }
  throw notFound(`There is no job '${written.slice(0, 120)}'.`);
}

/** A job by its name in any case; a child run is none. Throws ApiError 404. */
export async function jobOf(deps: RouteDeps, written: string): Promise<JobView> {
  const { view, isChild } = await runOf(deps, written);
  if (isChild) throw notFound(`'${written.slice(0, 120)}' is the child run of a job: '${view.spec.name}'.`);
  return view;
}

/** The page of a job, for people. With a query, as Azure ML's: the client adds `&tid=...` to whatever it is. */
export const jobPageUrl = ({ baseUrl, workspace }: RouteDeps, request: Request, job: string): string =>
  `${baseUrl(request)}/jobs/${job}?wsid=${workspaceIdOf(workspace)}`;

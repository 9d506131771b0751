import { notFound } from '../domain/errors.ts';
import type { JobFilter } from '../storage/registry/jobs-port.ts';
import { cancelJob } from './cancel-job.ts';
import { listedJob, viewJob, type JobView, type ViewDeps } from './job-view.ts';
import { cancelPipeline } from './pipeline/cancel-pipeline.ts';
import { viewPipeline, type PipelineView, type PipelineViewDeps } from './pipeline/pipeline-view.ts';

/** A job of any kind as every surface shows it. */
export type AnyJobView = JobView | PipelineView;

export type AnyViewDeps = ViewDeps & PipelineViewDeps;

/** One job with its true progress; undefined when there is none of that name. */
export async function viewAnyJob(deps: AnyViewDeps, name: string): Promise<AnyJobView | undefined> {
  return (await viewJob(deps, name)) ?? (await viewPipeline(deps, name));
}

export interface JobViewPage {
  readonly views: readonly AnyJobView[];
  readonly continuation?: string;
}

/** Newest first, from the index and the records alone: no question to Durable Functions per row. */
export async function listJobs(
  deps: Pick<AnyViewDeps, 'jobs' | 'pipelines' | 'clock'>,
  filter: JobFilter,
  limit: number,
  continuation?: string,
): Promise<JobViewPage> {
  const page = await deps.jobs.list(filter, limit, continuation);
  const views = await Promise.all(
    page.names.map(async (name) => (await listedJob(deps, name)) ?? (await viewPipeline(deps, name))),
  );
  return {
    views: views.filter((one) => one !== undefined),
    ...(page.continuation === undefined ? {} : { continuation: page.continuation }),
  };
}

/** Asks a job of any kind to stop. Throws ApiError 404, or 409 when it has ended otherwise. */
export async function cancelAnyJob(deps: AnyViewDeps, name: string): Promise<AnyJobView> {
  if (await deps.jobs.get(name)) return cancelJob(deps, name);
  await cancelPipeline(deps, name);
  const view = await viewPipeline(deps, name);
  if (!view) throw notFound(`There is no job '${name}'.`);
  return view;
}

/** True for a job that will not change by itself any more. */
export const isOver = (view: AnyJobView): boolean =>
  view.status === 'Completed' || view.status === 'Failed' || view.status === 'Canceled';

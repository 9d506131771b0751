import { notFound } from '../domain/errors.ts';
import type { IndexedJob, JobFilter } from '../storage/registry/jobs-port.ts';
import { cancelJob, type CancelDeps } from './cancel-job.ts';
import { listedJob, viewJob, type JobView, type ViewDeps } from './job-view.ts';
import { cancelPipeline } from './pipeline/cancel-pipeline.ts';
import {
  listedPipeline,
  viewPipeline,
  type ListedPipeline,
  type PipelineView,
  type PipelineViewDeps,
} from './pipeline/pipeline-view.ts';

/** A job of any kind as every surface shows it. */
export type AnyJobView = JobView | PipelineView;

/** A job of any kind as lists show it. */
export type ListedJobView = JobView | ListedPipeline;

export type AnyViewDeps = ViewDeps & PipelineViewDeps;

/** One job with its true progress; undefined when there is none of that name. */
export async function viewAnyJob(deps: AnyViewDeps, name: string): Promise<AnyJobView | undefined> {
  return (await viewJob(deps, name)) ?? (await viewPipeline(deps, name));
}

export interface JobViewPage {
  readonly views: readonly ListedJobView[];
  readonly continuation?: string;
}

type ListDeps = Pick<AnyViewDeps, 'jobs' | 'pipelines' | 'clock'>;

/** Newest first, from the index and the records alone: no question to Durable Functions per row. */
export async function listJobs(
  deps: ListDeps,
  filter: JobFilter,
  limit: number,
  continuation?: string,
): Promise<JobViewPage> {
  const page = await deps.jobs.list(filter, limit, continuation);
  const views = await Promise.all(page.jobs.map((job) => listed(deps, job)));
  return {
    views: views.filter((one) => one !== undefined),
    ...(page.continuation === undefined ? {} : { continuation: page.continuation }),
  };
}

async function listed(deps: ListDeps, job: IndexedJob): Promise<ListedJobView | undefined> {
  if (job.kind === 'scoring') return listedJob(deps, job.name, job.spec);
  if (job.kind === 'pipeline') return listedPipeline(deps, job.name, job.spec);
  return (await listedJob(deps, job.name)) ?? (await listedPipeline(deps, job.name));
}

/** Asks a job of any kind to stop. Throws ApiError 404, or 409 when it has ended otherwise. */
export async function cancelAnyJob(deps: AnyViewDeps & CancelDeps, name: string): Promise<AnyJobView> {
  if (await deps.jobs.get(name)) return cancelJob(deps, name);
  await cancelPipeline(deps, name);
  const view = await viewPipeline(deps, name);
  if (!view) throw notFound(`There is no job '${name}'.`);
  return view;
}

/** True for a job that will not change by itself any more. */
export const isOver = (view: AnyJobView): boolean =>
  view.status === 'Completed' || view.status === 'Failed' || view.status === 'Canceled';

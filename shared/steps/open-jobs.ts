import { isEnded, type JobRecord, type JobSpec } from '../domain/job.ts';
import { isPipelineEnded, type PipelineSpec } from '../domain/pipeline/pipeline-job.ts';
import type { Jobs, OpenJobs } from '../storage/registry/jobs-port.ts';
import type { Pipelines } from '../storage/registry/pipelines-port.ts';

export interface OpenJobDeps {
  readonly jobs: Jobs;
  readonly pipelines: Pipelines;
}

/** A job of any kind that has not ended, as far as its record knows. */
export type OpenJob =
  | { readonly kind: 'scoring'; readonly spec: JobSpec; readonly record: JobRecord }
  | { readonly kind: 'pipeline'; readonly spec: PipelineSpec };

/** Jobs that are read side by side. */
const PAGE = 20;

/** Every job that has not ended: what is read does not grow with those that have. */
export async function* openJobs(deps: OpenJobDeps): AsyncGenerator<OpenJob, void, undefined> {
  let continuation: string | undefined;
  do {
    const page: OpenJobs = await deps.jobs.open(PAGE, continuation);
    const found = await Promise.all(page.jobs.map(({ name }) => openJob(deps, name)));
    yield* found.filter((job) => job !== undefined);
    continuation = page.continuation;
  } while (continuation !== undefined);
}

async function openJob({ jobs, pipelines }: OpenJobDeps, name: string): Promise<OpenJob | undefined> {
  const scoring = await jobs.get(name);
  if (scoring) {
    const spec = isEnded(scoring.value) ? undefined : await jobs.spec(name);
    return spec && { kind: 'scoring', spec, record: scoring.value };
  }
  const pipeline = await pipelines.get(name);
  const spec = !pipeline || isPipelineEnded(pipeline.value) ? undefined : await pipelines.spec(name);
  return spec && { kind: 'pipeline', spec };
}

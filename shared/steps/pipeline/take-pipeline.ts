import { z } from 'zod';
import type { PipelineRecord } from '../../domain/pipeline/pipeline-job.ts';
import { logLine, printToJob } from '../job-log.ts';
import type { PipelineDeps } from './deps.ts';

export const PipelineInput = z.object({ job: z.string(), execution: z.string() });
export type PipelineInput = z.infer<typeof PipelineInput>;

/** `over`: the job has ended or belongs to another execution. `sources` are the steps that wait for no other. */
export const TakePipelineAnswer = z.object({ over: z.boolean(), sources: z.array(z.string()) });
export type TakePipelineAnswer = z.infer<typeof TakePipelineAnswer>;

/** Takes a pipeline job for one execution of its orchestration (B5). A repeat of the same execution answers the same. */
export async function takePipeline(deps: PipelineDeps, { job, execution }: PipelineInput): Promise<TakePipelineAnswer> {
  const spec = await deps.pipelines.spec(job);
  if (!spec) throw new Error(`the spec of pipeline ${job} is gone`);
  const startedAt = new Date(deps.clock.now()).toISOString();
  let taken = false;
  const record = await deps.pipelines.transition(job, (current) => {
    taken = current.state === 'accepted';
    if (current.state !== 'accepted') return undefined;
    const { name, createdAt, cancelRequested, cancelRequestedAt } = current;
    return {
      ...{ state: 'running', name, createdAt, cancelRequested, execution, startedAt },
      ...(cancelRequestedAt === undefined ? {} : { cancelRequestedAt }),
    } satisfies PipelineRecord;
  });
  if (record?.state !== 'running' || record.execution !== execution) return { over: true, sources: [] };
  if (taken) {
    deps.log.info({ job, steps: spec.steps.length }, 'pipeline started');
    await printToJob(deps, job, [logLine(deps.clock.now(), 'info', 'pipeline started', { steps: spec.steps.length })]);
  }
  return { over: false, sources: spec.steps.filter((step) => step.dependsOn.length === 0).map(({ path }) => path) };
}

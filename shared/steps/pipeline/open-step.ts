import { z } from 'zod';
import { stepNamed, type PipelineSpec, type PlannedStep, type StepRecord } from '../../domain/pipeline/pipeline-job.ts';
import type { PipelineDeps } from './deps.ts';
import { PipelineInput } from './take-pipeline.ts';

export const StepInputMessage = PipelineInput.extend({ step: z.string() });
export type StepInputMessage = z.infer<typeof StepInputMessage>;

/** `next`: the steps that this one's end made ready. `scores`: it goes on as the scoring job of this name. */
export const StepAnswer = z.discriminatedUnion('state', [
  z.object({ state: z.literal('ended'), next: z.array(z.string()) }),
  z.object({ state: z.literal('scoring'), scores: z.string() }),
]);
export type StepAnswer = z.infer<typeof StepAnswer>;

/** The step of a pipeline that this execution runs, and where it stands; undefined when the pipeline has ended or is another's. */
export async function openStep(
  deps: PipelineDeps,
  { job, execution, step }: StepInputMessage,
): Promise<{ spec: PipelineSpec; step: PlannedStep; record: StepRecord } | undefined> {
  const [spec, pipeline, record] = await Promise.all([
    deps.pipelines.spec(job),
    deps.pipelines.get(job),
    deps.pipelines.step(job, step),
  ]);
  if (!spec || !pipeline) throw new Error(`pipeline ${job} is gone`);
  if (pipeline.value.state !== 'running' || pipeline.value.execution !== execution) return undefined;
  return { spec, step: stepNamed(spec, step), record };
}

import { z } from 'zod';
import { PARENT_LOG } from '../../domain/log-files.ts';
import { Reason } from '../../domain/job.ts';
import {
  isPipelineEnded,
  isStepEnded,
  NO_FACTS,
  type EndedPipeline,
  type PipelineRecord,
} from '../../domain/pipeline/pipeline-job.ts';
import { pipelineEnd } from '../../domain/pipeline/settle.ts';
import { keepLogAs } from '../artifact-store.ts';
import { logLine, printToJob } from '../job-log.ts';
import { tellEnded } from '../job-telemetry.ts';
import { openStep, StepInputMessage } from './open-step.ts';
import type { PipelineDeps } from './deps.ts';
import { endStep } from './settle-step.ts';
import type { PipelineInput } from './take-pipeline.ts';

export const PipelineAnswer = z.object({ state: z.enum(['completed', 'failed', 'canceled', 'over']) });
export type PipelineAnswer = z.infer<typeof PipelineAnswer>;

/** Ends a pipeline job whose orchestration has nothing left to do. A repeat answers how it ended. */
export async function endPipeline(deps: PipelineDeps, { job, execution }: PipelineInput): Promise<PipelineAnswer> {
  const current = (await deps.pipelines.get(job))?.value;
  if (!current) throw new Error(`pipeline ${job} is gone`);
  if (isPipelineEnded(current)) return { state: current.state };
  if (current.state !== 'running' || current.execution !== execution) return { state: 'over' };
  return { state: (await settlePipeline(deps, job, undefined)).state };
}

/** Ends it as its steps have ended; those that have not are taken for lost, for `reason`. */
export async function settlePipeline(
  deps: Pick<PipelineDeps, 'pipelines' | 'jobs' | 'logs' | 'log' | 'clock' | 'datastores'>,
  job: string,
  reason: Reason | undefined,
): Promise<EndedPipeline> {
  const [spec, steps, stopped] = await Promise.all([
    deps.pipelines.spec(job),
    deps.pipelines.steps(job),
    deps.jobs.stopped(job),
  ]);
  const before = (await deps.pipelines.get(job))?.value;
  if (!spec || !before) throw new Error(`pipeline ${job} is gone`);
  const endedAt = new Date(deps.clock.now()).toISOString();
  const end = pipelineEnd(spec, before, steps, stopped ?? reason, endedAt);
  if (!isPipelineEnded(before)) {
    // Before the state changes: who reads the log of an ended job must find its last line.
    const level = end.state === 'completed' ? 'info' : 'error';
    const text = end.state === 'completed' ? 'pipeline completed' : `pipeline ${end.state}: ${end.reason.message}`;
    await printToJob(deps, job, [logLine(deps.clock.now(), level, text)]);
    await keepLogAs(deps, job, [{ run: job, file: PARENT_LOG }]);
  }
  let ours: PipelineRecord | undefined;
  const record = await deps.pipelines.transition(job, (current) => {
    ours = pipelineEnd(spec, current, steps, stopped ?? reason, endedAt);
    return ours;
  });
  if (!record || !isPipelineEnded(record)) throw new Error(`pipeline ${job} did not end`);
  if (record === ours)
    tellEnded('pipeline', spec, {
      ...{ state: record.state, createdAt: record.createdAt, endedAt: record.endedAt },
      failure: 'reason' in record ? record.reason.code : undefined,
      facts: { 'batchpoint.steps': steps.length },
    });
  await deps.jobs.leave(job, spec.places ?? []);
  deps.log.info({ job, state: record.state }, 'pipeline ended');
  return record;
}

export const FailStepInput = StepInputMessage.extend({ reason: Reason });
export type FailStepInput = z.infer<typeof FailStepInput>;

/** Fails a step whose activity failed for good, so that its dependents are not left waiting. */
export async function failStep(deps: PipelineDeps, input: FailStepInput): Promise<{ next: string[] }> {
  const found = await openStep(deps, input);
  if (!found) return { next: [] };
  const { spec, step, record } = found;
  const ending = isStepEnded(record) ? record : { state: 'failed' as const, ...NO_FACTS, reason: input.reason };
  return { next: await endStep(deps, spec, step, ending) };
}

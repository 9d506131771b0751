import { editedSpec } from '../../domain/job-edits.ts';
import type { JobStatus, Reason } from '../../domain/job.ts';
import {
  isPipelineEnded,
  type PipelineRecord,
  type PipelineSpec,
  type PlannedStep,
  type StepOutput,
  type StepRecord,
} from '../../domain/pipeline/pipeline-job.ts';
import { pipelineStatus, stepStatus } from '../../domain/pipeline/settle.ts';
import type { Pipelines } from '../../storage/registry/pipelines-port.ts';

/** A step as every surface shows it. */
export interface StepView {
  readonly plan: PlannedStep;
  readonly record: StepRecord;
  readonly status: JobStatus | 'NotStarted';
}

/** A pipeline job as every surface shows it. */
export interface PipelineView {
  readonly kind: 'pipeline';
  /** With what was changed of its description since. */
  readonly spec: PipelineSpec;
  readonly archived: boolean;
  readonly record: PipelineRecord;
  readonly status: JobStatus;
  /** Of a job that failed or was cancelled. */
  readonly reason?: Reason;
  readonly steps: readonly StepView[];
  /** Outputs that are there, by name. */
  readonly outputs: Readonly<Record<string, StepOutput>>;
}

export interface PipelineViewDeps {
  readonly pipelines: Pipelines;
}

/** One pipeline job with its steps; undefined when there is none of that name. */
export async function viewPipeline({ pipelines }: PipelineViewDeps, name: string): Promise<PipelineView | undefined> {
  const [spec, found, edits, steps] = await Promise.all([
    pipelines.spec(name),
    pipelines.get(name),
    pipelines.edits(name),
    pipelines.steps(name),
  ]);
  if (!spec || !found) return undefined;
  const record = found.value;
  const views = spec.steps.map((plan): StepView => {
    const step = steps.find(({ path }) => path === plan.path);
    if (!step) throw new Error(`step ${plan.path} of pipeline ${name} is gone`);
    return { plan, record: step, status: stepStatus(step, record) };
  });
  return {
    kind: 'pipeline',
    spec: editedSpec(spec, edits),
    archived: edits.archived,
    record,
    status: pipelineStatus(record),
    ...(isPipelineEnded(record) && record.state !== 'completed' ? { reason: record.reason } : {}),
    steps: views,
    outputs: writtenOutputs(spec, views),
  };
}

function writtenOutputs(spec: PipelineSpec, steps: readonly StepView[]): Record<string, StepOutput> {
  const written = Object.entries(spec.outputs).flatMap(([name, { type, uri, step }]) => {
    const producer = steps.find(({ plan }) => plan.path === step);
    return producer?.record.state === 'completed' ? [[name, { type, uri }] as const] : [];
  });
  return Object.fromEntries(written);
}

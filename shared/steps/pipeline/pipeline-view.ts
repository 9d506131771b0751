import { editedSpec, type JobEdits } from '../../domain/job-edits.ts';
import type { JobStatus, Reason } from '../../domain/job.ts';
import {
  isPipelineEnded,
  type PipelineRecord,
  type PipelineSpec,
  PipelineSummary,
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

/** A pipeline job as lists show it: what is known without its steps. */
export interface ListedPipeline {
  readonly kind: 'pipeline';
  /** With what was changed of its description since. */
  readonly spec: PipelineSummary;
  readonly archived: boolean;
  readonly record: PipelineRecord;
  readonly status: JobStatus;
  /** Of a job that failed or was cancelled. */
  readonly reason?: Reason;
  readonly steps?: readonly StepView[];
  /** Outputs that are known to be there, by name. */
  readonly outputs: Readonly<Record<string, StepOutput>>;
}

/** A pipeline job as every other surface shows it. */
export interface PipelineView extends ListedPipeline {
  readonly spec: PipelineSpec;
  readonly steps: readonly StepView[];
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
  const completed = new Set(steps.filter(({ state }) => state === 'completed').map(({ path }) => path));
  return {
    ...described(spec, edits, record),
    steps: views,
    outputs: outputsOf(spec, (step) => completed.has(step)),
  };
}

/**
 * As a list shows it: with the summary that the index knows it is two reads of a row. The steps are not read, so outputs of a job
 * that did not complete are not told.
 */
export async function listedPipeline(
  { pipelines }: PipelineViewDeps,
  name: string,
  known?: PipelineSummary,
): Promise<ListedPipeline | undefined> {
  const [spec, found, edits] = await Promise.all([
    known ?? summaryOf(pipelines, name),
    pipelines.get(name),
    pipelines.edits(name),
  ]);
  if (!spec || !found) return undefined;
  const record = found.value;
  return { ...described(spec, edits, record), outputs: outputsOf(spec, () => record.state === 'completed') };
}

async function summaryOf(pipelines: Pipelines, name: string): Promise<PipelineSummary | undefined> {
  const spec = await pipelines.spec(name);
  return spec && PipelineSummary.parse(spec);
}

const described = <Spec extends PipelineSummary>(spec: Spec, edits: JobEdits, record: PipelineRecord) => ({
  kind: 'pipeline' as const,
  spec: editedSpec(spec, edits),
  archived: edits.archived,
  record,
  status: pipelineStatus(record),
  ...(isPipelineEnded(record) && record.state !== 'completed' ? { reason: record.reason } : {}),
});

function outputsOf({ outputs }: PipelineSummary, isThere: (step: string) => boolean): Record<string, StepOutput> {
  const written = Object.entries(outputs).flatMap(([name, { type, uri, step }]) =>
    isThere(step) ? [[name, { type, uri }] as const] : [],
  );
  return Object.fromEntries(written);
}

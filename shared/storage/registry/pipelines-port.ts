import type { PipelineRecord, PipelineSpec, StepRecord, StepResult } from '../../domain/pipeline/pipeline-job.ts';
import type { Versioned } from './jobs-port.ts';
import type { JobEdits } from '../../domain/job-edits.ts';

/** Where a child run belongs. */
export interface StepOfRun {
  readonly job: string;
  readonly path: string;
}

/** Pipeline jobs and their steps. Listed, archived and stopped by the same rows as every other job. */
export interface Pipelines {
  /** Stores a new pipeline job as `accepted`. `created: false` when the name was taken: then `spec` is the one that is stored. */
  create(spec: PipelineSpec): Promise<{ created: boolean; spec: PipelineSpec; record: PipelineRecord }>;
  get(name: string): Promise<Versioned<PipelineRecord> | undefined>;
  spec(name: string): Promise<PipelineSpec | undefined>;
  /** As `Jobs.transition`: `next` runs again when somebody else wrote in between, and never on a job that has ended. */
  transition(
    name: string,
    next: (record: PipelineRecord) => PipelineRecord | undefined,
  ): Promise<PipelineRecord | undefined>;
  edits(name: string): Promise<JobEdits>;
  edit(name: string, change: (edits: JobEdits) => JobEdits): Promise<void>;
  /** In the order of the spec. */
  steps(name: string): Promise<readonly StepRecord[]>;
  /** Throws when there is no such step. */
  step(name: string, path: string): Promise<StepRecord>;
  /** Changes a step; `next` answers undefined to leave it. Answers the record that now stands. */
  changeStep(name: string, path: string, next: (record: StepRecord) => StepRecord | undefined): Promise<StepRecord>;
  /** The step that a child run's name belongs to. */
  stepOfRun(run: string): Promise<StepOfRun | undefined>;
  /** The newest result under this hash of all that a step depends on. */
  result(hash: string): Promise<StepResult | undefined>;
  keepResult(hash: string, result: StepResult): Promise<void>;
}

import type { PlannedStep, StepFacts, StepInput } from '../../domain/pipeline/pipeline-job.ts';
import type { Reason } from '../../domain/job.ts';
import type { Extensions } from '../../domain/settings.ts';
import type { Pipelines } from '../../storage/registry/pipelines-port.ts';
import type { JobDeps } from '../deps.ts';

/** An input as a step gets it: of an earlier step it is a place by now. */
export type ReadyInput = Exclude<StepInput, { from: 'step' }>;

export interface CommandRequest {
  readonly job: string;
  readonly step: PlannedStep;
  /** Drawn anew each time: two of one step never share what they stage. */
  readonly attempt: string;
  readonly inputs: Readonly<Record<string, ReadyInput>>;
  readonly createdBy: string;
  /** A line that the command printed. */
  readonly print: (line: string) => void;
}

/** What a command did. Its outputs are staged, not yet there. */
export type CommandOutcome =
  | { readonly ok: true; readonly facts: StepFacts }
  | { readonly ok: false; readonly facts: StepFacts; readonly reason: Reason };

/** Runs the commands of steps. */
export interface StepExecutor {
  /** Runs the command and stages what it wrote. Throws when the infrastructure failed and another attempt may do better. */
  execute(request: CommandRequest, signal: AbortSignal): Promise<CommandOutcome>;
  /**
   * Makes the outputs of an attempt appear, and registers its models; a repeat goes on where one was cut off. Answers a hash of
   * each output's content.
   */
  commit(job: string, step: PlannedStep, attempt: string, createdBy: string): Promise<Record<string, string>>;
}

/** What the steps of a pipeline job need. */
export interface PipelineDeps extends JobDeps {
  readonly pipelines: Pipelines;
  readonly executor: StepExecutor;
  /** The app's own settings; a deployment's go before them. */
  readonly appExtensions: Partial<Extensions>;
  /** Seconds that one try of a mini-batch may take, so that it ends within the host's functionTimeout. */
  readonly maxTimeoutSeconds: number;
}

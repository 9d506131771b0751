import { z } from 'zod';
import { Reason } from '../job.ts';
import { JobPlace } from '../limits.ts';
import { JobTrace } from '../job-trace.ts';
import { ModelReference } from '../resources.ts';
import { MetricValue } from '../step-tracking.ts';
import { ScoringSettings } from '../settings.ts';

/** What lies at a place in a datastore. A model is a file or folder like the others. */
export const PathType = z.enum(['uri_file', 'uri_folder', 'custom_model', 'mlflow_model', 'triton_model']);
export type PathType = z.infer<typeof PathType>;

/** What a step's input is, or where it will come from. Inputs that were left out are absent. */
export const StepInput = z.discriminatedUnion('from', [
  /** As the command is told: `True`, `5`, text. */
  z.object({ from: z.literal('literal'), value: z.string() }),
  /** A data URI. */
  z.object({ from: z.literal('place'), type: PathType, uri: z.string() }),
  z.object({ from: z.literal('model'), type: PathType, model: ModelReference }),
  z.object({ from: z.literal('step'), type: PathType, step: z.string(), output: z.string() }),
]);
export type StepInput = z.infer<typeof StepInput>;

/** Where an output of a step goes: the short data URI of a file, or of a folder, which ends with a slash. */
export const StepOutput = z.object({ type: PathType, uri: z.string() });
export type StepOutput = z.infer<typeof StepOutput>;

const {
  miniBatchSize,
  maxConcurrencyPerInstance,
  instanceCount,
  maxRetries,
  timeoutSeconds,
  errorThreshold,
  loggingLevel,
} = ScoringSettings.shape;

/** Only what was set: without the defaults that the settings of a deployment have. */
const ScoringOverrides = z.object({
  miniBatchSize: miniBatchSize.unwrap().optional(),
  maxConcurrencyPerInstance: maxConcurrencyPerInstance.unwrap().optional(),
  instanceCount: instanceCount.unwrap().optional(),
  maxRetries: maxRetries.unwrap().optional(),
  timeoutSeconds: timeoutSeconds.unwrap().optional(),
  errorThreshold: errorThreshold.unwrap().optional(),
  loggingLevel: loggingLevel.unwrap().optional(),
});

/** What a step does. */
export const StepWork = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('command'),
    command: z.string(),
    /** All inputs that the component declares: one of them that has no value was left out. */
    inputNames: z.array(z.string()),
    /** The code asset; absent for a command that needs no files. */
    code: z.object({ name: z.string(), version: z.string() }).optional(),
    /** `azureml:<name>:<version>` of this workspace, the id as sent of one that is not registered here, or what it is made of. */
    environment: z
      .union([
        z.object({ reference: z.string() }),
        z.object({ image: z.string().nullable(), condaFile: z.string().nullable() }),
      ])
      .optional(),
    environmentVariables: z.record(z.string(), z.string()),
    timeoutSeconds: z.number().optional(),
  }),
  /** Scores with a deployment as if its endpoint had been invoked. */
  z.object({
    kind: z.literal('scoring'),
    endpoint: z.string(),
    /** Null: the endpoint's default, as it is when the step runs. */
    deployment: z.string().nullable(),
    /** What the step sets of the deployment's settings. */
    overrides: ScoringOverrides,
    /** The input that is scored, and the output that gets the predictions. */
    input: z.string(),
    output: z.string(),
  }),
]);
export type StepWork = z.infer<typeof StepWork>;

/** A step of a flattened pipeline; `path` is unique in it: `train`, `sub.prepare`. */
export const PlannedStep = z.object({
  path: z.string(),
  displayName: z.string(),
  /** The component's own name. */
  component: z.string(),
  /** Name of the step's child run. */
  run: z.string(),
  dependsOn: z.array(z.string()),
  dependents: z.array(z.string()),
  inputs: z.record(z.string(), StepInput),
  outputs: z.record(z.string(), StepOutput),
  work: StepWork,
  /** Not run again when nothing that it depends on has changed. */
  reusable: z.boolean(),
});
export type PlannedStep = z.infer<typeof PlannedStep>;

/** An output of the pipeline: the one of a step. */
export const PipelineOutput = z.object({ type: PathType, uri: z.string(), step: z.string(), output: z.string() });
export type PipelineOutput = z.infer<typeof PipelineOutput>;

/** What a pipeline job was asked to do: written once, never changed. */
export const PipelineSpec = z.object({
  name: z.string(),
  displayName: z.string(),
  experimentName: z.string(),
  description: z.string().nullable(),
  tags: z.record(z.string(), z.string()),
  properties: z.record(z.string(), z.string()),
  /** Null for a job that was submitted directly. */
  endpoint: z.string().nullable(),
  deployment: z.string().nullable(),
  createdBy: z.string(),
  /** What the caller's token called them. */
  createdByName: z.string().optional(),
  createdAt: z.string(),
  /** sha256 of the request, to tell a repeat from another request under the same name. */
  requestHash: z.string(),
  /** The parts of the body that are shown as they were sent. */
  sent: z.record(z.string(), z.unknown()),
  steps: z.array(PlannedStep),
  outputs: z.record(z.string(), PipelineOutput),
  continueOnStepFailure: z.boolean(),
  /** Its places among running jobs. */
  places: z.array(JobPlace).optional(),
  /** Absent when nothing was traced as it was accepted. */
  trace: JobTrace.optional(),
});
export type PipelineSpec = z.infer<typeof PipelineSpec>;

/** What a list shows of it. */
export const PipelineSummary = PipelineSpec.omit({ steps: true });
export type PipelineSummary = z.infer<typeof PipelineSummary>;

const base = {
  name: z.string(),
  createdAt: z.string(),
  cancelRequested: z.boolean(),
  cancelRequestedAt: z.string().optional(),
};
const ended = { ...base, startedAt: z.string().nullable(), endedAt: z.string() };

/** Where a pipeline job stands; an end is never left. */
export const PipelineRecord = z.discriminatedUnion('state', [
  z.object({ state: z.literal('accepted'), ...base, resumedAt: z.string().optional() }),
  z.object({ state: z.literal('running'), ...base, execution: z.string(), startedAt: z.string() }),
  z.object({ state: z.literal('completed'), ...ended }),
  z.object({ state: z.literal('failed'), ...ended, reason: Reason }),
  z.object({ state: z.literal('canceled'), ...ended, reason: Reason }),
]);
export type PipelineRecord = z.infer<typeof PipelineRecord>;
export type EndedPipeline = Extract<PipelineRecord, { state: 'completed' | 'failed' | 'canceled' }>;

export const isPipelineEnded = (record: PipelineRecord): record is EndedPipeline =>
  record.state !== 'accepted' && record.state !== 'running';

/** What a step told MLflow. */
export const StepFacts = z.object({
  metrics: z.record(z.string(), MetricValue),
  parameters: z.record(z.string(), z.string()),
});
export type StepFacts = z.infer<typeof StepFacts>;

export const NO_FACTS: StepFacts = { metrics: {}, parameters: {} };

/** What an unchanged step takes over from one that ran. */
export const StepResult = z.object({
  job: z.string(),
  run: z.string(),
  outputs: z.record(z.string(), StepOutput),
  /** Hash of what was written, by output. */
  versions: z.record(z.string(), z.string()),
  ...StepFacts.shape,
});
export type StepResult = z.infer<typeof StepResult>;

const step = {
  path: z.string(),
  run: z.string(),
  /** Steps before this one that have ended, well or not. */
  settled: z.array(z.string()),
  /** Whose end made it ready; its orchestration starts this one. Null while it waits, and for a source. */
  owner: z.string().nullable(),
};
const begun = {
  ...step,
  startedAt: z.string(),
  /** Hash of all that it depends on, as it was when it began, or when the attempt did that won; absent for one that is run each time. */
  version: z.string().optional(),
};
const over = { ...step, startedAt: z.string().nullable(), endedAt: z.string() };

/** Where a step stands. */
export const StepRecord = z.discriminatedUnion('state', [
  z.object({ state: z.literal('waiting'), ...step }),
  z.object({ state: z.literal('running'), ...begun }),
  /** This attempt has won: its outputs are being committed, by whoever gets there. */
  z.object({ state: z.literal('committing'), ...begun, attempt: z.string(), ...StepFacts.shape }),
  z.object({
    state: z.literal('completed'),
    ...over,
    ...StepFacts.shape,
    outputs: z.record(z.string(), StepOutput),
    /** Hash of what was written, by output; what steps that read it are compared by. */
    versions: z.record(z.string(), z.string()),
    /** The run whose outputs it took over; absent for one that ran. */
    reusedFrom: z.object({ job: z.string(), run: z.string() }).optional(),
  }),
  z.object({ state: z.literal('failed'), ...over, ...StepFacts.shape, reason: Reason }),
  z.object({ state: z.literal('skipped'), ...over, reason: Reason }),
  z.object({ state: z.literal('canceled'), ...over, reason: Reason }),
]);
export type StepRecord = z.infer<typeof StepRecord>;
export type EndedStep = Extract<StepRecord, { state: 'completed' | 'failed' | 'skipped' | 'canceled' }>;
export type CompletedStep = Extract<StepRecord, { state: 'completed' }>;

export const isStepEnded = (record: StepRecord): record is EndedStep =>
  record.state === 'completed' ||
  record.state === 'failed' ||
  record.state === 'skipped' ||
  record.state === 'canceled';

export const stepNamed = (spec: PipelineSpec, path: string): PlannedStep => {
  const found = spec.steps.find((one) => one.path === path);
  if (!found) throw new Error(`pipeline ${spec.name} has no step ${path}`);
  return found;
};

import { z } from 'zod';
import { JobPlace } from './limits.ts';
import { JobTrace } from './job-trace.ts';
import { ModelReference } from './resources.ts';
import { scorerFields } from './scorer.ts';
import { Extensions, ScoringSettings } from './settings.ts';

/** What a job was asked to do: written once when it is accepted, never changed. */
export const JobSpec = z.object({
  name: z.string(),
  displayName: z.string(),
  endpoint: z.string(),
  deployment: z.string(),
  description: z.string().nullable(),
  tags: z.record(z.string(), z.string()),
  properties: z.record(z.string(), z.string()),
  model: ModelReference,
  ...scorerFields,
  settings: ScoringSettings,
  /** Of the deployment's compute; it runs on fewer instances than were asked for. */
  maxInstances: z.number().optional(),
  extensions: Extensions,
  input: z.object({
    name: z.string(),
    kind: z.enum(['UriFile', 'UriFolder']),
    uri: z.string(),
    mode: z.string(),
    description: z.string().nullable(),
    /** Where the data asset lay that `uri` names; absent when it names a place. */
    source: z.string().optional(),
    /** Its URL came with a signature, which is kept elsewhere. */
    signed: z.literal(true).optional(),
  }),
  output: z
    .object({
      name: z.string(),
      kind: z.enum(['UriFile', 'UriFolder']),
      uri: z.string(),
      mode: z.string(),
      description: z.string().nullable(),
      signed: z.literal(true).optional(),
    })
    .nullable(),
  /** tid + oid of the caller. */
  createdBy: z.string(),
  /** What the caller's token called them: for people to read, never to decide by. */
  createdByName: z.string().optional(),
  /** The access of the caller that the job reads and writes with, by id; absent where it does as the app. */
  delegation: z.string().optional(),
  createdAt: z.string(),
  /** sha256 of the request, to tell a repeat from another request under the same id. */
  requestHash: z.string(),
  /** The input is a list of blob versions beside the spec; `input` is the folder that they are in. */
  listedInput: z.literal(true).optional(),
  /** Its places among running jobs; absent for one that is not counted. */
  places: z.array(JobPlace).optional(),
  /** Absent when nothing was traced as it was accepted. */
  trace: JobTrace.optional(),
});
export type JobSpec = z.infer<typeof JobSpec>;

/** A failure as the job shows it and as a line of the errors file. */
export const Failure = z.object({
  file: z.string(),
  row: z.number().optional(),
  line: z.number().optional(),
  offset: z.number().optional(),
  code: z.string(),
  reason: z.string(),
  attempts: z.number(),
});
export type Failure = z.infer<typeof Failure>;

/** How many failures travel in the job itself; all of them are in the errors file. */
export const FAILURES_IN_JOB = 20;

export const Totals = z.object({
  files: z.number(),
  filesDone: z.number(),
  filesFailed: z.number(),
  rows: z.number(),
  recordsFailed: z.number(),
});
export type Totals = z.infer<typeof Totals>;

/** Why a job, or a lane of it, ended early. */
export const Reason = z.object({ code: z.string(), message: z.string() });
export type Reason = z.infer<typeof Reason>;

const base = {
  name: z.string(),
  endpoint: z.string(),
  deployment: z.string(),
  createdAt: z.string(),
  cancelRequested: z.boolean(),
  cancelRequestedAt: z.string().optional(),
  /** Which run of the job's orchestration has it; absent for the first. */
  generation: z.number().int().min(2).optional(),
  /** When the sweeper started its orchestration, again or instead of the invocation. */
  resumedAt: z.string().optional(),
};
const running = { ...base, execution: z.string(), startedAt: z.string() };
const ended = {
  ...base,
  startedAt: z.string().nullable(),
  endedAt: z.string(),
  totals: Totals.nullable(),
  failures: z.array(Failure),
  /** Where every failure is a line; null when there is none. */
  errorsUri: z.string().nullable(),
};

const stopped = {
  ...ended,
  reason: Reason,
  /** Where its finished mini-batches lie, once they were salvaged. */
  outputUri: z.string().optional(),
};

/**
 * Where a job stands. Only forward: accepted, planning, scoring, committing, then one of the ends, which is never left. A job
 * whose orchestration is stuck is resumed by the next generation, which plans (from the stored plan) and scores again.
 */
export const JobRecord = z.discriminatedUnion('state', [
  z.object({ state: z.literal('accepted'), ...base }),
  z.object({ state: z.literal('planning'), ...running }),
  z.object({
    state: z.literal('scoring'),
    ...running,
    /** Of the input as far as it is listed. */
    files: z.number(),
    /** That are scored side by side. */
    lanes: z.number(),
    /** The listing goes on: `files` are not all. */
    listing: z.literal(true).optional(),
  }),
  /** Waits for the orchestration of its next generation, as `accepted` does for the first. */
  z.object({ state: z.literal('resuming'), ...base, startedAt: z.string().nullable() }),
  z.object({
    state: z.literal('committing'),
    ...running,
    files: z.number(),
    lanes: z.number(),
    committingAt: z.string().optional(),
    /** Since when no execution may commit any more: its orchestration is lost, and the output itself will tell. */
    revokedAt: z.string().optional(),
  }),
  z.object({ state: z.literal('completed'), ...ended, outputUri: z.string() }),
  z.object({ state: z.literal('failed'), ...stopped }),
  z.object({ state: z.literal('canceled'), ...stopped }),
]);
export type JobRecord = z.infer<typeof JobRecord>;
/** An end without the whole output. */
export type StoppedJob = Extract<JobRecord, { state: 'failed' | 'canceled' }>;
export type EndedJob = Extract<JobRecord, { state: 'completed' | 'failed' | 'canceled' }>;

export const isEnded = (job: JobRecord): job is EndedJob =>
  job.state === 'completed' || job.state === 'failed' || job.state === 'canceled';

/** The generation that a record, or the input of an activity, speaks of; the first one is not written down. */
export const generationOf = ({ generation }: { readonly generation?: number | undefined }): number => generation ?? 1;

/**
 * What Durable Functions knows of the job's orchestration. `failed`: it threw, which it does only when storage stayed out of
 * reach; `ended`: it finished or was terminated; `absent`: no history.
 */
export type OrchestrationState = 'active' | 'suspended' | 'failed' | 'ended' | 'absent';

/** Azure ML's words (contract 1.3). */
export type JobStatus =
  'Preparing' | 'Running' | 'Finalizing' | 'CancelRequested' | 'Completed' | 'Failed' | 'Canceled';

/** How often a job's orchestration is started: what got stuck or failed so often will do so again. */
export const MAX_GENERATIONS = 3;

/** The end of an orchestration that leaves its job to nobody: it is never run again silently (S3.5). */
export const isLost = (job: JobRecord, orchestration: OrchestrationState): boolean =>
  orchestration === 'ended' ||
  (orchestration === 'absent' && job.state !== 'accepted' && job.state !== 'resuming') ||
  (orchestration === 'failed' && (job.cancelRequested || generationOf(job) >= MAX_GENERATIONS));

/**
 * Azure ML's status word, the same for every surface. A job whose orchestration is lost has failed; one whose fan-in began is
 * still finalizing, because its output may lie there (the sweeper finds out).
 */
export function jobStatus(job: JobRecord, orchestration: OrchestrationState = 'active'): JobStatus {
  switch (job.state) {
    case 'completed':
      return 'Completed';
    case 'failed':
      return 'Failed';
    case 'canceled':
      return 'Canceled';
    case 'committing':
      return job.cancelRequested ? 'CancelRequested' : 'Finalizing';
    case 'accepted':
    case 'planning':
    case 'resuming':
    case 'scoring':
      if (isLost(job, orchestration)) return 'Failed';
      if (job.cancelRequested) return 'CancelRequested';
      return job.state === 'scoring' || generationOf(job) > 1 ? 'Running' : 'Preparing';
  }
}

/** One lane's progress as its slices write it. */
export const LaneProgress = z.object({
  lane: z.number(),
  position: z.number(),
  filesDone: z.number(),
  filesFailed: z.number(),
  rows: z.number(),
  recordsFailed: z.number(),
  updatedAt: z.string(),
  firstRowAt: z.string().nullable(),
  /** The lane's last receipt and the mini-batch up to which it goes: where the next generation, or a salvage, takes over. */
  receipt: z.object({ name: z.string(), to: z.number() }).optional(),
});
export type LaneProgress = z.infer<typeof LaneProgress>;

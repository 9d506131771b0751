import { z } from 'zod';
import { ModelReference } from './resources.ts';
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
  settings: ScoringSettings,
  extensions: Extensions,
  input: z.object({
    name: z.string(),
    kind: z.enum(['UriFile', 'UriFolder']),
    uri: z.string(),
    mode: z.string(),
    description: z.string().nullable(),
  }),
  output: z
    .object({
      name: z.string(),
      kind: z.enum(['UriFile', 'UriFolder']),
      uri: z.string(),
      mode: z.string(),
      description: z.string().nullable(),
    })
    .nullable(),
  /** tid + oid of the caller. */
  createdBy: z.string(),
  createdAt: z.string(),
  /** sha256 of the request, to tell a repeat from another request under the same id. */
  requestHash: z.string(),
  /** The input is a list of blob versions beside the spec; `input` is the folder that they are in. */
  listedInput: z.literal(true).optional(),
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

/** Where a job stands. Only forward: accepted, planning, scoring, committing, then one of the ends, which is never left. */
export const JobRecord = z.discriminatedUnion('state', [
  z.object({ state: z.literal('accepted'), ...base }),
  z.object({ state: z.literal('planning'), ...running }),
  z.object({ state: z.literal('scoring'), ...running, files: z.number(), lanes: z.number() }),
  z.object({ state: z.literal('committing'), ...running, files: z.number(), lanes: z.number() }),
  z.object({ state: z.literal('completed'), ...ended, outputUri: z.string() }),
  z.object({ state: z.literal('failed'), ...ended, reason: Reason }),
  z.object({ state: z.literal('canceled'), ...ended, reason: Reason }),
]);
export type JobRecord = z.infer<typeof JobRecord>;
export type EndedJob = Extract<JobRecord, { state: 'completed' | 'failed' | 'canceled' }>;

export const isEnded = (job: JobRecord): job is EndedJob =>
  job.state === 'completed' || job.state === 'failed' || job.state === 'canceled';

/** What Durable Functions knows of the job's orchestration; `absent`: no history. */
export type OrchestrationState = 'active' | 'ended' | 'absent';

/** Azure ML's words (contract 1.3). */
export type JobStatus =
  'Preparing' | 'Running' | 'Finalizing' | 'CancelRequested' | 'Completed' | 'Failed' | 'Canceled';

/**
 * Azure ML's status word, the same for every surface. An orchestration that ended, or vanished after it had started, without
 * saying so in the record, is a failed job: it is never run again silently (a job that was only accepted may still start).
 */
export function jobStatus(job: JobRecord, orchestration: OrchestrationState = 'active'): JobStatus {
  switch (job.state) {
    case 'completed':
      return 'Completed';
    case 'failed':
      return 'Failed';
    case 'canceled':
      return 'Canceled';
    case 'accepted':
    case 'planning':
    case 'scoring':
    case 'committing':
      if (orchestration === 'ended' || (orchestration === 'absent' && job.state !== 'accepted')) return 'Failed';
      if (job.cancelRequested) return 'CancelRequested';
      return job.state === 'scoring' ? 'Running' : job.state === 'committing' ? 'Finalizing' : 'Preparing';
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
});
export type LaneProgress = z.infer<typeof LaneProgress>;

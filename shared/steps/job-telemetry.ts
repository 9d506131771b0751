import { messageOf } from '../domain/errors.ts';
import type { EndedJob, JobSpec } from '../domain/job.ts';
import type { JobTrace } from '../domain/job-trace.ts';
import { presentScope, scopeTo } from '../telemetry/job-scope.ts';
import { linkToJob, writeJobSpan } from '../telemetry/job-span.ts';
import { count, took } from '../telemetry/metrics.ts';
import { note } from '../telemetry/spans.ts';
import type { JobDeps } from './deps.ts';

/** What is told of a job of any kind. */
interface SubmittedJob {
  readonly name: string;
  readonly endpoint: string | null;
  readonly deployment: string | null;
  readonly trace?: JobTrace | undefined;
}

type Kind = 'scoring' | 'pipeline';

/** A request, or a step of a pipeline, has its job: made by it, or by an earlier one, whose trace the job stays in. */
export function tellSubmitted(kind: Kind, job: SubmittedJob, created: boolean): void {
  // A step goes on working for its pipeline.
  if (presentScope().job !== undefined) note({ 'batchpoint.scores': job.name });
  else {
    scopeTo({ job: job.name, endpoint: job.endpoint, deployment: job.deployment });
    note(namesOf(job));
  }
  if (created) count('batchpoint.jobs.started', 1, { 'batchpoint.kind': kind }, job);
  else linkToJob(job.trace);
}

const namesOf = ({ name, endpoint, deployment }: SubmittedJob) => ({
  'batchpoint.job': name,
  'batchpoint.endpoint': endpoint ?? undefined,
  'batchpoint.deployment': deployment ?? undefined,
});

interface JobEnd {
  readonly state: string;
  readonly createdAt: string;
  readonly endedAt: string;
  /** Code of the reason of a job that did not complete. */
  readonly failure: string | undefined;
  readonly facts: Readonly<Record<string, string | number>>;
}

/** A job has ended, which is told once: its span, and that it ended. */
export function tellEnded(kind: Kind, job: SubmittedJob, { state, createdAt, endedAt, failure, facts }: JobEnd): void {
  const [from, to] = [Date.parse(createdAt), Date.parse(endedAt)];
  const told = { 'batchpoint.kind': kind, 'batchpoint.state': state };
  count('batchpoint.jobs.ended', 1, told, job);
  took('batchpoint.job.duration', to - from, told, job);
  if (!job.trace) return;
  const attributes = { ...told, ...namesOf(job), ...facts };
  writeJobSpan(job.trace, { name: `${kind} job`, from, to, attributes, failure });
}

/** The same of a scoring job, with its totals. */
export function tellScoringEnded(spec: JobSpec, record: EndedJob, generation: number): void {
  const { state, createdAt, endedAt, totals } = record;
  tellEnded('scoring', spec, {
    ...{ state, createdAt, endedAt },
    failure: 'reason' in record ? record.reason.code : undefined,
    facts: {
      'batchpoint.generation': generation,
      ...(totals && {
        'batchpoint.files': totals.files,
        'batchpoint.files_failed': totals.filesFailed,
        'batchpoint.rows': totals.rows,
        'batchpoint.records_failed': totals.recordsFailed,
      }),
    },
  });
}

/** How long a job waited for its first row, if anybody is told. A fault of this must not fail the job. */
export async function tellWait(deps: Pick<JobDeps, 'jobs' | 'log'>, spec: JobSpec): Promise<void> {
  // Made while telemetry was on: otherwise nobody would see it.
  if (!spec.trace) return;
  try {
    const lanes = await deps.jobs.progress(spec.name);
    const firstRows = lanes.flatMap(({ firstRowAt }) => (firstRowAt === null ? [] : [Date.parse(firstRowAt)]));
    if (firstRows.length === 0) return;
    took('batchpoint.job.queue_wait', Math.min(...firstRows) - Date.parse(spec.createdAt), {}, spec);
  } catch (error) {
    deps.log.warn({ job: spec.name, error: messageOf(error) }, 'the wait of a job for its first row is not told');
  }
}

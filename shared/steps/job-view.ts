import { editedSpec } from '../domain/job-edits.ts';
import type { JobRecord, JobSpec, JobStatus, LaneProgress, Reason, Totals } from '../domain/job.ts';
import { isEnded, jobStatus } from '../domain/job.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import { askAfter } from './lost-job.ts';
import type { Clock, Orchestrations } from './ports.ts';

/** A scoring job as every surface shows it. */
export interface JobView {
  readonly kind: 'scoring';
  /** With what was changed of its description since. */
  readonly spec: JobSpec;
  readonly archived: boolean;
  readonly record: JobRecord;
  readonly status: JobStatus;
  /** Of a job that failed or was cancelled. */
  readonly reason?: Reason;
  /** Absent until the beginning of the input is known. */
  readonly totals?: Totals;
  /** More of the input is being listed: its files are not all in the totals. */
  readonly listing?: true;
  /** Rows a second since the start; absent before the first row. */
  readonly rowsPerSecond?: number;
  /** Estimated from files done; absent when nothing is done yet, while files are listed, and when the job has ended. */
  readonly secondsLeft?: number;
  readonly firstRowAt?: string;
}

export interface ViewDeps {
  readonly jobs: Jobs;
  readonly orchestrations: Orchestrations;
  readonly clock: Clock;
}

/** One job with its true progress; undefined when there is none of that name. */
export async function viewJob(deps: ViewDeps, name: string): Promise<JobView | undefined> {
  const [described, found] = await Promise.all([describe(deps, name), deps.jobs.get(name)]);
  if (!described || !found) return undefined;
  const { record, orchestration } = isEnded(found.value)
    ? { record: found.value, orchestration: 'ended' as const }
    : await askAfter(deps, found.value);
  const hasLanes = record.state !== 'accepted' && record.state !== 'planning';
  const progress = hasLanes ? await deps.jobs.progress(name) : [];
  return { ...described, ...view(record, jobStatus(record, orchestration), progress, deps.clock.now()) };
}

/** One that was made just now: nothing can have been changed of it, or scored. */
export const newJobView = (spec: JobSpec, record: JobRecord): JobView => ({
  ...{ kind: 'scoring', spec, archived: false },
  ...{ record, status: jobStatus(record) },
});

async function describe({ jobs }: Pick<ViewDeps, 'jobs'>, name: string, known?: JobSpec) {
  const [spec, edits] = await Promise.all([known ?? jobs.spec(name), jobs.edits(name)]);
  return spec && { kind: 'scoring' as const, spec: editedSpec(spec, edits), archived: edits.archived };
}

/**
 * As a list shows it: what it says of itself, without a question to Durable Functions. With the spec that the index knows it is
 * two reads of a row; of a job that is being scored its lanes are read, too.
 */
export async function listedJob(
  deps: Pick<ViewDeps, 'jobs' | 'clock'>,
  name: string,
  known?: JobSpec,
): Promise<JobView | undefined> {
  const [described, found] = await Promise.all([describe(deps, name, known), deps.jobs.get(name)]);
  if (!described || !found) return undefined;
  const scoring = found.value.state !== 'accepted' && found.value.state !== 'planning' && !isEnded(found.value);
  const lanes = scoring ? await deps.jobs.progress(name) : [];
  return { ...described, ...view(found.value, jobStatus(found.value), lanes, deps.clock.now()) };
}

function view(
  record: JobRecord,
  status: JobStatus,
  lanes: readonly LaneProgress[],
  now: number,
): Omit<JobView, 'kind' | 'spec' | 'archived'> {
  const firstRowAt = lanes
    .map((lane) => lane.firstRowAt)
    .filter((at) => at !== null)
    .sort()[0];
  const first = firstRowAt === undefined ? {} : { firstRowAt };
  if (isEnded(record)) {
    return {
      record,
      status,
      ...first,
      ...(record.state === 'completed' ? {} : { reason: record.reason }),
      ...(record.totals === null ? {} : { totals: record.totals }),
      ...speed(record.totals?.rows ?? 0, record.startedAt, Date.parse(record.endedAt)),
    };
  }
  const lost =
    status === 'Failed'
      ? { reason: { code: 'OrchestrationLost', message: 'The orchestration of this job ended without a result.' } }
      : {};
  if (record.state !== 'scoring' && record.state !== 'committing') return { record, status, ...lost };
  const sum = (field: 'filesDone' | 'filesFailed' | 'rows' | 'recordsFailed'): number =>
    lanes.reduce((total, lane) => total + lane[field], 0);
  const totals = {
    files: record.files,
    filesDone: sum('filesDone'),
    filesFailed: sum('filesFailed'),
    rows: sum('rows'),
    recordsFailed: sum('recordsFailed'),
  };
  const done = totals.filesDone + totals.filesFailed;
  const listing = record.state === 'scoring' && record.listing === true;
  const elapsed = (now - Date.parse(record.startedAt)) / 1000;
  return {
    record,
    status,
    totals,
    ...(listing && { listing }),
    ...first,
    ...lost,
    ...speed(totals.rows, record.startedAt, now),
    ...(done > 0 && !listing ? { secondsLeft: Math.round((elapsed * (totals.files - done)) / done) } : {}),
  };
}

function speed(rows: number, startedAt: string | null, until: number): { rowsPerSecond?: number } {
  const seconds = startedAt === null ? 0 : (until - Date.parse(startedAt)) / 1000;
  return rows > 0 && seconds > 0 ? { rowsPerSecond: Math.round(rows / seconds) } : {};
}

import type { JobEdits } from '../../domain/job-edits.ts';
import type { JobRecord, JobSpec, LaneProgress, Reason, StoppedJob } from '../../domain/job.ts';
import type { JobPlace } from '../../domain/limits.ts';
import type { PipelineSummary } from '../../domain/pipeline/pipeline-job.ts';

export interface Versioned<T> {
  readonly value: T;
  readonly etag: string;
}

export interface JobFilter {
  /** Absent: jobs of all endpoints. */
  readonly endpoint?: string;
  readonly deployment?: string;
  /** Absent: archived or not. Only for jobs of all endpoints. */
  readonly archived?: boolean;
}

/**
 * A job as the index knows it. What it was asked to do never changes and came along, unless it is too large for a row. Rows of
 * before that was kept know the name alone.
 */
export type IndexedJob =
  | { readonly name: string; readonly kind: 'scoring'; readonly spec?: JobSpec }
  | { readonly name: string; readonly kind: 'pipeline'; readonly spec?: PipelineSummary }
  | { readonly name: string; readonly kind?: undefined };

export interface JobPage {
  readonly jobs: readonly IndexedJob[];
  readonly continuation?: string;
}

export interface OpenJobs {
  readonly jobs: readonly { readonly name: string; readonly createdAt: string }[];
  readonly continuation?: string;
}

export interface Crowd {
  /** Of all scoring jobs that have not ended; a job that is not being scored counts as one, for its plan or its fan-in. */
  readonly lanes: number;
  /** That asked in the last half minute; slices ask. */
  readonly instances: number;
}

/** The jobs of this app: what was asked (written once), where it stands (conditional), how far it is, and whether to stop. */
export interface Jobs {
  /** Stores a new job as `accepted`. `created: false` when the name was taken: then `spec` is the one that is stored. */
  create(spec: JobSpec): Promise<{ created: boolean; spec: JobSpec; record: JobRecord }>;
  get(name: string): Promise<Versioned<JobRecord> | undefined>;
  spec(name: string): Promise<JobSpec | undefined>;
  /**
   * Moves a job on. `next` sees the newest record and answers the one to store, or undefined to leave it; it runs again when
   * somebody else wrote in between. Answers the record that now stands, undefined when there is no such job.
   */
  transition(name: string, next: (record: JobRecord) => JobRecord | undefined): Promise<JobRecord | undefined>;
  /** What was changed of the job's description since it was made. */
  edits(name: string): Promise<JobEdits>;
  /** Changes it; `change` sees the newest and runs again when somebody else wrote in between. No job of that name: nothing. */
  edit(name: string, change: (edits: JobEdits) => JobEdits): Promise<void>;
  /** Newest first. */
  list(filter: JobFilter, limit: number, continuation?: string): Promise<JobPage>;
  /**
   * Changes what the record of a job says that failed or was cancelled; its state stays. Answers the record that now stands,
   * undefined when there is no such job or it did not end so.
   */
  amend(name: string, change: (record: StoppedJob) => StoppedJob): Promise<StoppedJob | undefined>;
  /** A page of the jobs that may not have ended, in no order that means anything; with when they were made. */
  open(limit: number, continuation?: string): Promise<OpenJobs>;
  /**
   * How full the app is, over all its instances. Who asks is one of them for the next half minute. `now` in milliseconds.
   */
  crowd(now: number): Promise<Crowd>;
  /** Takes a job out of the open ones that has ended and holds nothing any more. */
  close(name: string): Promise<void>;
  /** True for one caller in each `every` milliseconds: the first after the time is over. */
  due(what: string, now: number, every: number): Promise<boolean>;
  /** The first reason stands. Plan, slices and commit look at it. */
  stop(name: string, reason: Reason): Promise<void>;
  /** Tells everything that works for an earlier generation of the job to stop. Never goes back. */
  supersede(name: string, generation: number): Promise<void>;
  /** Why work of a generation, by default the first, is to stop. */
  stopped(name: string, generation?: number): Promise<Reason | undefined>;
  /** Notes that a part of the job is about to be touched. False when that was noted before: a start without an end. */
  markStart(name: string, part: string): Promise<boolean>;
  /** Notes another start; answers how many there were without an end, this one included. */
  markRestart(name: string, part: string): Promise<number>;
  /** Takes one start back: it ended, well or by an exception. */
  unmark(name: string, part: string): Promise<void>;
  /**
   * Position, tallies and receipt never go back, each by itself: a late slice's row does not replace a further one, but shows
   * that the lane is alive.
   */
  report(name: string, progress: LaneProgress): Promise<void>;
  progress(name: string): Promise<readonly LaneProgress[]>;
  /**
   * Reserves an output address (its canonical text) for a job; answers the name of the job that holds it, ours or another's.
   * A reservation of a job that has ended is taken over.
   */
  reserve(address: string, name: string): Promise<string>;
  release(address: string, name: string): Promise<void>;
  /**
   * Takes a place in each group for a job that is about to be stored; `isNew: false` when it had them all. `full` names a group that
   * has none left, and then none is taken. `now` in milliseconds.
   */
  enter(
    name: string,
    groups: readonly { readonly group: string; readonly limit: number }[],
    now: number,
  ): Promise<{ readonly places: JobPlace[]; readonly isNew: boolean } | { readonly full: string }>;
  /** Gives the places back that the job still holds. */
  leave(name: string, places: readonly JobPlace[]): Promise<void>;
}

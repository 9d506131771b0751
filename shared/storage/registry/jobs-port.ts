import type { JobRecord, JobSpec, LaneProgress, Reason } from '../../domain/job.ts';

export interface Versioned<T> {
  readonly value: T;
  readonly etag: string;
}

export interface JobFilter {
  readonly endpoint: string;
  readonly deployment?: string;
}

export interface JobPage {
  readonly names: readonly string[];
  readonly continuation?: string;
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
  /** Newest first. */
  list(filter: JobFilter, limit: number, continuation?: string): Promise<JobPage>;
  /** The first reason stands. Plan, slices and commit look at it. */
  stop(name: string, reason: Reason): Promise<void>;
  stopped(name: string): Promise<Reason | undefined>;
  /** Never goes back: a late slice's row does not replace a further one. */
  report(name: string, progress: LaneProgress): Promise<void>;
  progress(name: string): Promise<readonly LaneProgress[]>;
  /**
   * Reserves an output address (its canonical text) for a job; answers the name of the job that holds it, ours or another's.
   * A reservation of a job that has ended is taken over.
   */
  reserve(address: string, name: string): Promise<string>;
  release(address: string, name: string): Promise<void>;
}

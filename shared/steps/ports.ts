import type { OrchestrationState } from '../domain/job.ts';

/** The job orchestrations of Durable Functions, as the use cases see them. Each generation of a job has its own. */
export interface Orchestrations {
  /** Starts the job's orchestration, by default its first; one that is already there counts as started. */
  start(job: string, generation?: number): Promise<void>;
  state(job: string, generation?: number): Promise<OrchestrationState>;
}

/** What only the sweeper may do to them. */
export interface OrchestrationControl extends Orchestrations {
  /** Ends the orchestration and its lanes where they still run. Activities that run go on to their end. */
  terminate(job: string, generation: number): Promise<void>;
  /** Removes the histories of all orchestrations that have ended and were made before `until`; answers how many. */
  purge(until: Date): Promise<number>;
}

/** Time and chance, so that tests can hold them still. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** One line of JSON each; never a secret. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

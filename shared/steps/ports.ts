import type { OrchestrationState } from '../domain/job.ts';

/** The job orchestrations of Durable Functions, as the use cases see them. */
export interface Orchestrations {
  /** Starts the job's orchestration; one that is already there counts as started. */
  start(job: string): Promise<void>;
  state(job: string): Promise<OrchestrationState>;
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

import type { EntityMessage } from './entity-message.ts';

/** What an episode adds to an instance. `id` is the task's number, counted alike by the SDK and by the host. */
export type Operation =
  | { readonly kind: 'activity'; readonly id: number; readonly name: string; readonly input: string | null }
  | {
      readonly kind: 'subOrchestration';
      readonly id: number;
      readonly name: string;
      readonly instanceId: string;
      readonly version: string;
      readonly input: string | null;
    }
  | { readonly kind: 'timer'; readonly id: number; readonly fireAt: string }
  | { readonly kind: 'entity'; readonly id: number; readonly message: EntityMessage };

/** How the orchestration stands after an episode. Texts of `completed` and `continueAsNew` are JSON. */
export type Outcome =
  | { readonly kind: 'running' }
  | { readonly kind: 'completed'; readonly output: string | null }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'continueAsNew'; readonly input: string | null };

export interface Simulation {
  readonly operations: readonly Operation[];
  /** Timers that the orchestrator has given up: they own their id but must not keep anything waiting. */
  readonly canceledTimers: readonly number[];
  readonly outcome: Outcome;
}

/** Thrown inside a simulation: the orchestration fails with this text. */
export class OrchestrationFault extends Error {}

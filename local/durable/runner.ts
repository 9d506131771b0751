import type { OrchestratorState } from './protocol.ts';

export interface OrchestratorAnswer {
  readonly state: OrchestratorState;
  /** Name of a task that is part of two yields. */
  readonly repeatedTask?: string;
  /** What a second replay of the same turn had different. */
  readonly difference?: string;
}

export type ActivityAnswer =
  | { readonly ok: true; readonly result: string | null }
  | { readonly ok: false; readonly message: string; readonly stack: string };

/** The app's functions, as the engine sees them: text in, text out. */
export interface FunctionRunner {
  readonly activities: readonly string[];
  readonly orchestrators: readonly string[];
  readonly entities: readonly string[];
  /** Never rejects for an error of the app: that is part of the state. */
  runOrchestrator(name: string, turn: string): Promise<OrchestratorAnswer>;
  /** `input` is the text the trigger receives; undefined when there is none. Never rejects for an error of the app. */
  runActivity(name: string, input: string | undefined, instanceId: string): Promise<ActivityAnswer>;
  /** `batch` is the text the trigger receives; the result is the SDK's answer. Never rejects for an error of the app. */
  runEntity(name: string, batch: string): Promise<ActivityAnswer>;
}

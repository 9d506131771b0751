import { z } from 'zod';
import { defaultPollingMs, httpRequest } from './call-http.ts';
import type { HistoryEvent } from './history.ts';

/** What an orchestrator asked for, as the SDK writes it (numbers of durable-functions' ActionType). */
export const ActionType = {
  callActivity: 0,
  callActivityWithRetry: 1,
  callSubOrchestrator: 2,
  callSubOrchestratorWithRetry: 3,
  continueAsNew: 4,
  createTimer: 5,
  waitForExternalEvent: 6,
  callEntity: 7,
  callHttp: 8,
  signalEntity: 9,
  whenAny: 11,
  whenAll: 12,
  lockEntities: 13,
  releaseEntities: 14,
} as const;

const retryOptions = z.object({
  firstRetryIntervalInMilliseconds: z.number().positive(),
  maxNumberOfAttempts: z.number().int().positive(),
  backoffCoefficient: z.number().optional(),
  maxRetryIntervalInMilliseconds: z.number().optional(),
  retryTimeoutInMilliseconds: z.number().optional(),
});
export type RetryOptions = z.infer<typeof retryOptions>;

const activity = { functionName: z.string(), input: z.unknown().optional() };
const subOrchestrator = {
  functionName: z.string(),
  instanceId: z.string().nullish(),
  input: z.unknown().optional(),
  version: z.string().nullish(),
};
const entityOperation = { instanceId: z.string(), operation: z.string(), input: z.unknown().optional() };

const simpleAction = [
  z.object({ actionType: z.literal(ActionType.callActivity), ...activity }),
  z.object({ actionType: z.literal(ActionType.callActivityWithRetry), retryOptions, ...activity }),
  z.object({ actionType: z.literal(ActionType.callSubOrchestrator), ...subOrchestrator }),
  z.object({ actionType: z.literal(ActionType.callSubOrchestratorWithRetry), retryOptions, ...subOrchestrator }),
  z.object({ actionType: z.literal(ActionType.continueAsNew), input: z.unknown().optional() }),
  z.object({ actionType: z.literal(ActionType.createTimer), fireAt: z.iso.datetime(), isCanceled: z.boolean() }),
  z.object({ actionType: z.literal(ActionType.waitForExternalEvent), externalEventName: z.string() }),
  z.object({ actionType: z.literal(ActionType.callEntity), ...entityOperation }),
  z.object({ actionType: z.literal(ActionType.callHttp), httpRequest }),
  z.object({ actionType: z.literal(ActionType.signalEntity), ...entityOperation }),
  z.object({ actionType: z.literal(ActionType.lockEntities) }),
  z.object({ actionType: z.literal(ActionType.releaseEntities) }),
] as const;

const compoundAction = z.object({
  actionType: z.literal([ActionType.whenAny, ActionType.whenAll]),
  get compoundActions() {
    return z.array(action);
  },
});

type SimpleAction = z.infer<(typeof simpleAction)[number]>;
export interface CompoundAction {
  actionType: typeof ActionType.whenAny | typeof ActionType.whenAll;
  compoundActions: Action[];
}
export type Action = SimpleAction | CompoundAction;
const action: z.ZodType<Action> = z.discriminatedUnion('actionType', [...simpleAction, compoundAction]);

const stateSchema = z.object({
  isDone: z.boolean(),
  actions: z.array(z.array(action)),
  output: z.unknown().optional(),
  error: z.string().optional(),
  customStatus: z.unknown().optional(),
});

/** One answer of an orchestrator function. `actions` are all since the start of the execution, in yield order. */
export interface OrchestratorState {
  readonly isDone: boolean;
  readonly actions: readonly Action[];
  /** JSON text; null when the function returned nothing. */
  readonly output: string | null;
  readonly error?: string;
  /** JSON text; absent when the SDK sent none (falsy values are never sent). */
  readonly customStatus?: string;
  /** The function threw; without `error` it threw something that has no text. */
  readonly threw: boolean;
}

/** JSON text of a value; null stands for undefined, which JSON does not have. */
export function toJson(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function decodeState(json: string, threw: boolean): OrchestratorState {
  const state = stateSchema.parse(JSON.parse(json));
  return {
    isDone: state.isDone,
    actions: state.actions.flat(),
    output: toJson(state.output),
    ...(state.error === undefined ? {} : { error: state.error }),
    ...(state.customStatus === undefined ? {} : { customStatus: JSON.stringify(state.customStatus) }),
    threw,
  };
}

/** Decodes the JSON that an orchestrator function returned. Throws when it is not the SDK's. */
export function decodeReturned(json: string): OrchestratorState {
  return decodeState(json, false);
}

const outOfProcLabel = '\n\n$OutOfProcData$:';

/**
 * Decodes the message of the error that an orchestrator function threw. The SDK packs its state into it; any other
 * error happened outside of the orchestrator's replay and fails it with its own text. Never throws: the instance
 * would hang.
 */
export function decodeThrown(message: string): OrchestratorState {
  const at = message.indexOf(outOfProcLabel);
  const outside = { isDone: false, actions: [], output: null, threw: true };
  if (at < 0) return { ...outside, error: message };
  try {
    return decodeState(message.slice(at + outOfProcLabel.length), true);
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error;
    return { ...outside, error: `the state that it threw cannot be read: ${error.message}` };
  }
}

export interface OrchestratorTurn {
  readonly instanceId: string;
  readonly parentInstanceId: string | null;
  /** JSON text or null. */
  readonly input: string | null;
  readonly history: readonly HistoryEvent[];
  /** How many of the events at the front were there in an earlier turn. */
  readonly played: number;
}

/** The text that an orchestration trigger receives (EXT OrchestrationTriggerAttributeBindingProvider). */
export function encodeTurn(turn: OrchestratorTurn): string {
  const history = turn.history.map((event, index) => ({
    // Completions have no id of their own; those that schedule bring theirs.
    EventId: -1,
    ...event,
    IsPlayed: index < turn.played,
  }));
  const input: unknown = turn.input === null ? null : JSON.parse(turn.input);
  return JSON.stringify({
    history,
    input,
    instanceId: turn.instanceId,
    isReplaying: turn.played > 0,
    parentInstanceId: turn.parentInstanceId,
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 2,
    // Huge, so that the SDK never cuts a timer into a chain: the host keeps long timers itself.
    longRunningTimerIntervalDuration: '3650.00:00:00',
    maximumShortTimerDuration: '3650.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: defaultPollingMs,
  });
}

/**
 * The text in which an activity receives its input, undefined when there is none. Scalars pass through .NET's
 * ToString on the real host, so a boolean arrives as "True" or "False".
 */
export function activityInputText(input: string | null): string | undefined {
  if (input === null) return undefined;
  const value: unknown = JSON.parse(input);
  if (value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return input;
}

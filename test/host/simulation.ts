import type { HttpRequest } from '../../local/durable/call-http.ts';
import { answerEvent, requestIdOf, sentEvent, type EntityRequest } from '../../local/durable/entity-message.ts';
import { EventType, type EventBody, type HistoryEvent } from '../../local/durable/history.ts';
import type { Simulation } from '../../local/durable/operations.ts';
import { ActionType, type Action, type OrchestratorState } from '../../local/durable/protocol.ts';
import { simulate, type SimulationInput } from '../../local/durable/simulate.ts';

export const time = '2026-01-01T00:00:00.000Z';
/** Milliseconds after `time`. */
export const after = (ms: number): string => new Date(Date.parse(time) + ms).toISOString();

/** Actions as the SDK writes them. */
export const act = {
  activity: (functionName: string, input?: unknown): Action => ({
    actionType: ActionType.callActivity,
    functionName,
    input,
  }),
  retried: (functionName: string, maxNumberOfAttempts: number, more: object = {}): Action => ({
    actionType: ActionType.callActivityWithRetry,
    functionName,
    input: {},
    retryOptions: { firstRetryIntervalInMilliseconds: 100, maxNumberOfAttempts, ...more },
  }),
  child: (functionName: string, instanceId?: string, version?: string): Action => ({
    actionType: ActionType.callSubOrchestrator,
    functionName,
    instanceId,
    version,
    input: { c: 1 },
  }),
  retriedChild: (functionName: string, maxNumberOfAttempts: number): Action => ({
    actionType: ActionType.callSubOrchestratorWithRetry,
    functionName,
    input: { c: 1 },
    retryOptions: { firstRetryIntervalInMilliseconds: 100, maxNumberOfAttempts },
  }),
  timer: (fireAt: string, isCanceled = false): Action => ({ actionType: ActionType.createTimer, fireAt, isCanceled }),
  event: (externalEventName: string): Action => ({ actionType: ActionType.waitForExternalEvent, externalEventName }),
  call: (instanceId: string, operation: string, input?: unknown): Action => ({
    actionType: ActionType.callEntity,
    ...{ instanceId, operation, input },
  }),
  signal: (instanceId: string, operation: string, input?: unknown): Action => ({
    actionType: ActionType.signalEntity,
    ...{ instanceId, operation, input },
  }),
  http: (httpRequest: HttpRequest): Action => ({ actionType: ActionType.callHttp, httpRequest }),
  again: (input: unknown): Action => ({ actionType: ActionType.continueAsNew, input }),
  all: (...compoundActions: Action[]): Action => ({ actionType: ActionType.whenAll, compoundActions }),
  any: (...compoundActions: Action[]): Action => ({ actionType: ActionType.whenAny, compoundActions }),
};

/** Events of a history. */
export const had = {
  activity: (EventId: number, Name: string): EventBody => ({
    EventType: EventType.taskScheduled,
    EventId,
    Name,
    Input: null,
  }),
  child: (EventId: number, Name: string): EventBody => ({
    EventType: EventType.subOrchestrationCreated,
    ...{ EventId, Name, InstanceId: 'c', Version: '', Input: null },
  }),
  timer: (EventId: number): EventBody => ({ EventType: EventType.timerCreated, EventId, FireAt: time }),
  done: (TaskScheduledId: number): EventBody => ({ EventType: EventType.taskCompleted, TaskScheduledId, Result: null }),
  failed: (TaskScheduledId: number): EventBody => ({
    EventType: EventType.taskFailed,
    ...{ TaskScheduledId, Reason: '', Details: '' },
  }),
  childFailed: (TaskScheduledId: number): EventBody => ({
    EventType: EventType.subOrchestrationFailed,
    ...{ TaskScheduledId, Reason: '', Details: '' },
  }),
  fired: (TimerId: number): EventBody => ({ EventType: EventType.timerFired, TimerId, FireAt: time }),
  doneWith: (TaskScheduledId: number, result: unknown): EventBody => ({
    EventType: EventType.taskCompleted,
    ...{ TaskScheduledId, Result: JSON.stringify(result) },
  }),
  sent: (id: number, target: string, request: Partial<EntityRequest>): EventBody =>
    sentEvent(id, { target, request: { op: 'add', ...request, id: requestIdOf('e', id) } }),
  answered: (task: number): EventBody => answerEvent(requestIdOf('e', task), null, false),
  raised: (Name: string): EventBody => ({ EventType: EventType.eventRaised, Name, Input: null }),
};

/** Replays actions over the events that came after the start; functions of any name exist unless told otherwise. */
export function replay(
  actions: readonly Action[],
  events: readonly EventBody[],
  state: Partial<OrchestratorState> = {},
  more: Partial<SimulationInput> = {},
): Simulation {
  const begun: EventBody[] = [
    { EventType: EventType.orchestratorStarted },
    {
      EventType: EventType.executionStarted,
      ...{ Name: 'o', Version: '', Input: null, ParentInstance: null },
      OrchestrationInstance: { InstanceId: 'i', ExecutionId: 'e' },
    },
  ];
  const history = [...begun, ...events].map((event): HistoryEvent => ({ ...event, Timestamp: time }));
  return simulate({
    ...{ name: 'o', instanceId: 'i', executionId: 'e', parentInstanceId: 'p', defaultVersion: '7', history },
    ...{ activities: ['a', 'b', 'c', 'flaky'], orchestrators: ['lane'], entities: ['Counter'] },
    state: { isDone: false, actions, output: null, threw: false, ...state },
    ...more,
  });
}

import { EventType, completedTaskId, isScheduling, type HistoryEvent, type SchedulingEvent } from './history.ts';
import { OrchestrationFault, type Operation, type Outcome, type Simulation } from './operations.ts';
import {
  ActionType,
  toJson,
  type Action,
  type CompoundAction,
  type OrchestratorState,
  type RetryOptions,
} from './protocol.ts';

export interface SimulationInput {
  readonly name: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly parentInstanceId: string | null;
  readonly history: readonly HistoryEvent[];
  readonly state: OrchestratorState;
  /** Name of a task that is part of two yields (findRepeatedTask). */
  readonly repeatedTask?: string;
  readonly activities: readonly string[];
  readonly orchestrators: readonly string[];
  /** The version that sub-orchestrations without one get: the worker's, not the parent's. */
  readonly defaultVersion: string;
}

const yieldOnce =
  'A task must be yielded once: the real host runs a task again when it is part of a second Task.all or Task.any, ' +
  'and counts its tasks differently from the SDK when it is yielded alone afterwards.';

/**
 * Replays the list of actions over the history as the real host does: invoke an action, wait for its end, only then
 * invoke the next; a compound starts all its children at once and a WhenAll ends when all have ended, even if one
 * failed. Tasks without a scheduling event in the history are the new operations. isDone and error count only when
 * the list has been replayed to its end. (EXT OutOfProcOrchestrationShim, DTFx RetryInterceptor.)
 */
export function simulate(input: SimulationInput): Simulation {
  try {
    if (input.repeatedTask !== undefined) {
      throw new OrchestrationFault(`the task '${input.repeatedTask}' is part of two yields. ${yieldOnce}`);
    }
    return replay(input);
  } catch (error) {
    if (!(error instanceof OrchestrationFault)) throw error;
    return { operations: [], canceledTimers: [], outcome: failed(input.name, error.message) };
  }
}

function failed(name: string, reason: string): Outcome {
  return { kind: 'failed', reason: `Orchestrator function '${name}' failed: ${reason}` };
}

function replay(input: SimulationInput): Simulation {
  const { history, state } = input;
  const scheduled = new Map<number, SchedulingEvent>();
  for (const event of history) if (isScheduling(event)) scheduled.set(event.EventId, event);

  const operations: Operation[] = [];
  const canceledTimers: number[] = [];
  const waiting = new Map<number, { readonly label: string; readonly settle: (ok: boolean) => void }>();
  const eventWaiters = new Map<string, (() => void)[]>();
  const bufferedEvents = new Map<string, number>();
  let nextId = 0;
  let now = 0;
  let continuation: { readonly input: string | null } | undefined;
  let listEnded = false;

  /** Gives the next id to a task; it is new unless the history knows the id. */
  function schedule(make: (id: number) => Operation, settle: (ok: boolean) => void): number {
    const id = nextId++;
    const operation = make(id);
    const known = scheduled.get(id);
    if (known === undefined) operations.push(operation);
    else requireSame(known, operation);
    scheduled.delete(id);
    waiting.set(id, { label: describe(operation), settle });
    return id;
  }

  function start(action: Action, done: () => void): void {
    switch (action.actionType) {
      case ActionType.callActivity:
        schedule(activityOf(action.functionName, action.input), done);
        return;
      case ActionType.callSubOrchestrator:
        schedule(subOrchestrationOf(action), done);
        return;
      case ActionType.callActivityWithRetry:
        retry(activityOf(action.functionName, action.input), action.retryOptions, done);
        return;
      case ActionType.callSubOrchestratorWithRetry:
        retry(subOrchestrationOf(action), action.retryOptions, done);
        return;
      case ActionType.createTimer: {
        const id = schedule((timer) => ({ kind: 'timer', id: timer, fireAt: action.fireAt }), done);
        if (action.isCanceled) {
          // The host cancels right after it has created the timer, so its wait ends at once.
          waiting.delete(id);
          canceledTimers.push(id);
          done();
        }
        return;
      }
      case ActionType.waitForExternalEvent:
        waitForEvent(action.externalEventName, done);
        return;
      case ActionType.whenAll:
      case ActionType.whenAny:
        startCompound(action, done);
        return;
      case ActionType.continueAsNew:
        continuation = { input: toJson(action.input) };
        done();
        return;
      case ActionType.callEntity:
      case ActionType.signalEntity:
        throw new OrchestrationFault('entities are not supported by the embedded host.');
      case ActionType.lockEntities:
      case ActionType.releaseEntities:
        throw new OrchestrationFault('entity locks are not supported by the embedded host.');
      case ActionType.callHttp:
        throw new OrchestrationFault('callHttp is not supported by the embedded host.');
    }
  }

  function startCompound(action: CompoundAction, done: () => void): void {
    const needed = action.actionType === ActionType.whenAll ? action.compoundActions.length : 1;
    let ended = 0;
    let allStarted = false;
    const childEnded = (): void => {
      ended += 1;
      if (allStarted && ended === needed) done();
    };
    for (const child of action.compoundActions) start(child, childEnded);
    allStarted = true;
    if (ended >= needed) {
      // Children that end while they are started must not end the compound before the last one has its id.
      ended = needed;
      done();
    }
  }

  function retry(attempt: (id: number) => Operation, options: RetryOptions, done: () => void): void {
    if (options.retryTimeoutInMilliseconds !== undefined) {
      throw new OrchestrationFault(
        'retryTimeoutInMilliseconds is not supported: on the real host the orchestration hangs when it is exceeded.',
      );
    }
    let failures = 0;
    const run = (): void => {
      schedule(attempt, (ok) => {
        if (ok) {
          done();
          return;
        }
        failures += 1;
        const last = failures >= options.maxNumberOfAttempts;
        // The last failure still costs one timer, which fires at once: the SDK counts its id.
        const fireAt = new Date(now + (last ? 0 : retryDelay(options, failures - 1))).toISOString();
        schedule((id) => ({ kind: 'timer', id, fireAt }), last ? done : run);
      });
    };
    run();
  }

  function waitForEvent(name: string, done: () => void): void {
    const buffered = bufferedEvents.get(name) ?? 0;
    if (buffered > 0) {
      bufferedEvents.set(name, buffered - 1);
      done();
      return;
    }
    eventWaiters.set(name, [...(eventWaiters.get(name) ?? []), done]);
  }

  function raiseEvent(name: string): void {
    // Several waiters of one name are served last in, first out, by the SDK as well as by the host.
    const waiter = eventWaiters.get(name)?.pop();
    if (waiter === undefined) bufferedEvents.set(name, (bufferedEvents.get(name) ?? 0) + 1);
    else waiter();
  }

  function activityOf(name: string, value: unknown): (id: number) => Operation {
    requireKnown(name, input.activities, 'activity');
    return (id) => ({ kind: 'activity', id, name, input: toJson(value) });
  }

  function subOrchestrationOf(action: {
    functionName: string;
    instanceId?: string | null | undefined;
    version?: string | null | undefined;
    input?: unknown;
  }): (id: number) => Operation {
    requireKnown(action.functionName, input.orchestrators, 'orchestrator');
    const explicit = action.instanceId ?? '';
    if (
      explicit.startsWith('@') ||
      (explicit !== '' && [input.instanceId, input.parentInstanceId].includes(explicit))
    ) {
      throw new OrchestrationFault(`'${explicit}' is not a valid id for a sub-orchestration of '${input.instanceId}'.`);
    }
    return (id) => ({
      kind: 'subOrchestration',
      id,
      name: action.functionName,
      instanceId: explicit === '' ? `${input.executionId}:${id}` : explicit,
      version: action.version ?? input.defaultVersion,
      input: toJson(action.input),
    });
  }

  function invokeFrom(index: number): void {
    const action = state.actions[index];
    if (action === undefined) listEnded = true;
    else start(action, () => invokeFrom(index + 1));
  }

  for (const event of history) {
    if (event.EventType === EventType.orchestratorStarted) now = Date.parse(event.Timestamp);
    else if (event.EventType === EventType.executionStarted) invokeFrom(0);
    else if (event.EventType === EventType.eventRaised) raiseEvent(event.Name);
    else {
      const id = completedTaskId(event);
      const task = id === undefined ? undefined : waiting.get(id);
      if (id === undefined || task === undefined) continue;
      waiting.delete(id);
      task.settle(event.EventType !== EventType.taskFailed && event.EventType !== EventType.subOrchestrationFailed);
    }
  }

  const [forgotten] = scheduled.values();
  if (forgotten !== undefined) {
    throw new OrchestrationFault(
      `Non-Deterministic workflow detected: the history has ${describeEvent(forgotten)} at id ${forgotten.EventId}, ` +
        'which this replay did not schedule.',
    );
  }
  const outcome = listEnded ? outcomeAtEnd(input, continuation, waiting.values()) : ({ kind: 'running' } as const);
  return { operations, canceledTimers, outcome };
}

function outcomeAtEnd(
  { name, state }: SimulationInput,
  continuation: { readonly input: string | null } | undefined,
  waiting: Iterable<{ readonly label: string }>,
): Outcome {
  if (state.error !== undefined) return failed(name, state.error);
  if (state.isDone) {
    return continuation === undefined
      ? { kind: 'completed', output: state.output }
      : { kind: 'continueAsNew', input: continuation.input };
  }
  // It threw something without text: the real host waits for ever.
  if (state.threw) return { kind: 'running' };
  const open = Array.from(waiting, (task) => task.label);
  const candidates = open.length === 0 ? 'an event or a cancelled timer' : open.join(', ');
  return failed(name, `it waits again for a task of an earlier yield (${candidates}). ${yieldOnce}`);
}

function retryDelay(options: RetryOptions, attempt: number): number {
  const delay = options.firstRetryIntervalInMilliseconds * (options.backoffCoefficient ?? 1) ** attempt;
  return Math.min(delay, options.maxRetryIntervalInMilliseconds ?? Number.MAX_SAFE_INTEGER);
}

function requireKnown(name: string, known: readonly string[], kind: 'activity' | 'orchestrator'): void {
  if (known.some((candidate) => candidate.toLowerCase() === name.toLowerCase())) return;
  const article = kind === 'activity' ? 'an activity' : 'an orchestrator';
  throw new OrchestrationFault(
    `The function '${name}' doesn't exist, is disabled, or is not ${article} function. Additional info: ` +
      `The following are the known ${kind} functions: ${known.map((candidate) => `'${candidate}'`).join(', ')}.`,
  );
}

function describe(operation: Operation): string {
  switch (operation.kind) {
    case 'activity':
      return `activity '${operation.name}'`;
    case 'subOrchestration':
      return `sub-orchestration '${operation.name}'`;
    case 'timer':
      return 'a timer';
  }
}

function describeEvent(event: SchedulingEvent): string {
  switch (event.EventType) {
    case EventType.taskScheduled:
      return `activity '${event.Name}'`;
    case EventType.subOrchestrationCreated:
      return `sub-orchestration '${event.Name}'`;
    case EventType.timerCreated:
      return 'a timer';
  }
}

function requireSame(known: SchedulingEvent, operation: Operation): void {
  const before = describeEvent(known);
  const after = describe(operation);
  if (before === after) return;
  throw new OrchestrationFault(
    `Non-Deterministic workflow detected: the history has ${before} at id ${operation.id}, this replay has ${after}.`,
  );
}

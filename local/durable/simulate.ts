import { scheduleHttp } from './call-http-polling.ts';
import { createExternalEvents } from './external-events.ts';
import { EventType, type HistoryEvent } from './history.ts';
import { createOperations, type OperationContext } from './new-operations.ts';
import { OrchestrationFault, type Outcome, type Simulation } from './operations.ts';
import { ActionType, toJson, type Action, type CompoundAction, type OrchestratorState } from './protocol.ts';
import { scheduleWithRetry } from './retry.ts';
import { createTaskLedger } from './task-ledger.ts';

export interface SimulationInput extends OperationContext {
  readonly name: string;
  readonly history: readonly HistoryEvent[];
  readonly state: OrchestratorState;
  /** Name of a task that is part of two yields (findRepeatedTask). */
  readonly repeatedTask?: string;
  /** What a second replay of the same turn had different (strictRunner). */
  readonly difference?: string;
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
    if (input.difference !== undefined) throw new OrchestrationFault(input.difference);
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
  const ledger = createTaskLedger(history);
  const external = createExternalEvents();
  const make = createOperations(input);
  const canceledTimers: number[] = [];
  let clock = 0;
  const now = (): number => clock;
  let continuation: { readonly input: string | null } | undefined;
  let listEnded = false;

  function start(action: Action, done: () => void): void {
    switch (action.actionType) {
      case ActionType.callActivity:
        ledger.schedule(make.activity(action), done);
        return;
      case ActionType.callSubOrchestrator:
        ledger.schedule(make.subOrchestration(action), done);
        return;
      case ActionType.callActivityWithRetry:
        scheduleWithRetry(ledger, {
          attempt: make.activity(action),
          options: action.retryOptions,
          now,
          done,
        });
        return;
      case ActionType.callSubOrchestratorWithRetry:
        scheduleWithRetry(ledger, { attempt: make.subOrchestration(action), options: action.retryOptions, now, done });
        return;
      case ActionType.createTimer: {
        const id = ledger.schedule((timer) => ({ kind: 'timer', id: timer, fireAt: action.fireAt }), done);
        if (action.isCanceled) {
          // The host cancels right after it has created the timer, so its wait ends at once.
          ledger.abandon(id);
          canceledTimers.push(id);
          done();
        }
        return;
      }
      case ActionType.waitForExternalEvent:
        external.wait(action.externalEventName, done);
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
        ledger.schedule(make.entity(action, false), done);
        return;
      case ActionType.signalEntity:
        // Nobody answers a signal.
        ledger.abandon(ledger.schedule(make.entity(action, true), done));
        done();
        return;
      case ActionType.callHttp:
        scheduleHttp(ledger, { request: action.httpRequest, now, done });
        return;
      case ActionType.lockEntities:
      case ActionType.releaseEntities:
        throw new OrchestrationFault('entity locks (context.df.lock) are not supported by the embedded host.');
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

  let index = 0;
  let starting = false;
  let endedAtOnce = false;
  /** A loop, because thousands of signals in a row end as soon as they are started. */
  function invokeNext(): void {
    endedAtOnce = true;
    if (starting) return;
    starting = true;
    while (endedAtOnce) {
      endedAtOnce = false;
      const action = state.actions[index++];
      if (action === undefined) listEnded = true;
      else start(action, invokeNext);
    }
    starting = false;
  }

  for (const event of history) {
    if (event.EventType === EventType.orchestratorStarted) clock = Date.parse(event.Timestamp);
    else if (event.EventType === EventType.executionStarted) invokeNext();
    else if (!ledger.complete(event) && event.EventType === EventType.eventRaised) external.raise(event.Name);
  }
  ledger.requireNothingForgotten();
  const outcome = listEnded ? outcomeAtEnd(input, continuation, ledger.waiting()) : ({ kind: 'running' } as const);
  return { operations: ledger.operations(), canceledTimers, outcome };
}

function outcomeAtEnd(
  { name, state }: SimulationInput,
  continuation: { readonly input: string | null } | undefined,
  open: readonly string[],
): Outcome {
  if (state.error !== undefined) return failed(name, state.error);
  if (state.isDone) {
    return continuation === undefined
      ? { kind: 'completed', output: state.output }
      : { kind: 'continueAsNew', input: continuation.input };
  }
  // It threw something without text: the real host waits for ever.
  if (state.threw) return { kind: 'running' };
  const candidates = open.length === 0 ? 'an event or a cancelled timer' : open.join(', ');
  return failed(name, `it waits again for a task of an earlier yield (${candidates}). ${yieldOnce}`);
}

import { randomUUID } from 'node:crypto';
import { parseEntityRequest, sentEvent } from './entity-message.ts';
import { EventType, type EventBody, type HistoryEvent, type SchedulingEvent } from './history.ts';
import type { Admission, LiveInstance } from './live-instance.ts';
import type { Operation } from './operations.ts';
import { encodeTurn } from './protocol.ts';
import type { FunctionRunner } from './runner.ts';
import { simulate } from './simulate.ts';
import type { EpisodeCommit, InstanceHead } from './store.ts';

/** What one episode decided; nothing has happened yet. */
export interface Decision {
  readonly commit: EpisodeCommit;
  readonly operations: readonly Operation[];
  readonly canceledTimers: readonly number[];
  /** The orchestrator threw something without text, so nobody will ever hear of it. */
  readonly lostError: boolean;
}

export function newExecutionId(): string {
  return randomUUID().replaceAll('-', '');
}

/** Runs the orchestrator over its history and the admitted events, and decides what is to be committed. */
export async function runEpisode(
  instance: LiveInstance,
  admission: Admission,
  runner: FunctionRunner,
  defaultVersion: string,
): Promise<Decision> {
  const { head } = instance;
  // The orchestrator's clock must never go back, whatever the machine's does.
  const timestamp = new Date(Math.max(Date.now(), Date.parse(head.lastUpdatedTime))).toISOString();
  const stamp = (event: EventBody): HistoryEvent => ({ ...event, Timestamp: timestamp });
  const arrived: EventBody[] = [{ EventType: EventType.orchestratorStarted }];
  if (!instance.started && !admission.suspended && admission.terminated === undefined) arrived.push(startOf(head));
  arrived.push(...admission.events);
  const events = arrived.map(stamp);

  const quiet = (changes: Partial<InstanceHead>): Decision => ({
    commit: {
      head: { ...head, ...changes, lastUpdatedTime: timestamp },
      newEvents: [...events, stamp({ EventType: EventType.orchestratorCompleted })],
      consumed: admission.consumed,
    },
    operations: [],
    canceledTimers: [],
    lostError: false,
  });
  if (admission.terminated !== undefined) return quiet({ status: 'Terminated', output: admission.terminated });
  if (admission.suspended) return quiet({ status: 'Suspended' });

  const history = [...instance.history, ...events];
  const parentInstanceId = head.parent?.instanceId ?? null;
  const { instanceId, executionId, name } = head;
  const turn = { instanceId, parentInstanceId, input: head.input, history, played: instance.history.length };
  const { state, repeatedTask, difference } = await runner.runOrchestrator(name, encodeTurn(turn));
  const { activities, orchestrators, entities } = runner;
  const { operations, canceledTimers, outcome } = simulate({
    ...{
      name,
      instanceId,
      executionId,
      parentInstanceId,
      history,
      state,
      activities,
      orchestrators,
      entities,
      defaultVersion,
    },
    ...(repeatedTask === undefined ? {} : { repeatedTask }),
    ...(difference === undefined ? {} : { difference }),
  });

  const next: InstanceHead = {
    ...head,
    customStatus: state.customStatus ?? head.customStatus,
    lastUpdatedTime: timestamp,
  };
  const newEvents = [...events, ...operations.map((operation) => stamp(eventOf(operation)))];
  const decide = (changes: Partial<InstanceHead>, last: readonly EventBody[] = []): Decision => ({
    commit: {
      head: { ...next, ...changes },
      newEvents: [...newEvents, ...[...last, { EventType: EventType.orchestratorCompleted }].map(stamp)],
      consumed: admission.consumed,
    },
    operations,
    canceledTimers,
    lostError: state.threw && state.error === undefined,
  });
  if (outcome.kind !== 'running' && operations.some(({ kind }) => kind === 'entity')) {
    // Nobody goes on from an execution that has ended, so one that still sends something stays open for an episode.
    const open = decide({ status: 'Running' });
    return { ...open, commit: { ...open.commit, newEvents } };
  }
  switch (outcome.kind) {
    case 'running':
      return decide({ status: 'Running' });
    case 'completed':
      return decide({ status: 'Completed', output: outcome.output }, [ended('Completed', outcome.output)]);
    case 'failed':
      return decide({ status: 'Failed', output: outcome.reason }, [ended('Failed', outcome.reason)]);
    case 'continueAsNew': {
      const again = { executionId: newExecutionId(), input: outcome.input, createdTime: timestamp };
      const continued = decide({ status: 'Running', ...again });
      return { ...continued, commit: { ...continued.commit, newEvents: [] } };
    }
  }
}

function startOf(head: InstanceHead): EventBody {
  return {
    EventType: EventType.executionStarted,
    Name: head.name,
    Version: head.version,
    Input: head.input,
    ParentInstance:
      head.parent === null
        ? null
        : {
            Name: head.parent.name,
            OrchestrationInstance: { InstanceId: head.parent.instanceId, ExecutionId: head.parent.executionId },
            TaskScheduleId: head.parent.taskScheduledId,
          },
    OrchestrationInstance: { InstanceId: head.instanceId, ExecutionId: head.executionId },
  };
}

function ended(status: string, result: string | null): EventBody {
  return { EventType: EventType.executionCompleted, OrchestrationStatus: status, Result: result };
}

/** The operation that a history has scheduled. */
export function operationOf(event: SchedulingEvent): Operation {
  const id = event.EventId;
  switch (event.EventType) {
    case EventType.taskScheduled:
      return { kind: 'activity', id, name: event.Name, input: event.Input };
    case EventType.subOrchestrationCreated: {
      const { Name: name, InstanceId: instanceId, Version: version, Input: input } = event;
      return { kind: 'subOrchestration', id, name, instanceId, version, input };
    }
    case EventType.timerCreated:
      return { kind: 'timer', id, fireAt: event.FireAt };
    case EventType.eventSent:
      return { kind: 'entity', id, message: { target: event.InstanceId, request: parseEntityRequest(event.Input) } };
  }
}

function eventOf(operation: Operation): EventBody {
  switch (operation.kind) {
    case 'activity':
      return {
        EventType: EventType.taskScheduled,
        EventId: operation.id,
        Name: operation.name,
        Input: operation.input,
      };
    case 'subOrchestration':
      return {
        EventType: EventType.subOrchestrationCreated,
        EventId: operation.id,
        Name: operation.name,
        InstanceId: operation.instanceId,
        Version: operation.version,
        Input: operation.input,
      };
    case 'timer':
      return { EventType: EventType.timerCreated, EventId: operation.id, FireAt: operation.fireAt };
    case 'entity':
      return sentEvent(operation.id, operation.message);
  }
}

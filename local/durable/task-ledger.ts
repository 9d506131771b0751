import { parseEntityRequest, type EntityMessage } from './entity-message.ts';
import { EventType, completedTaskId, isScheduling, type HistoryEvent, type SchedulingEvent } from './history.ts';
import { OrchestrationFault, type Operation } from './operations.ts';

/** Tells how a task ended; `result` is the JSON text of an activity's answer. */
export type Settle = (ok: boolean, result: string | null) => void;

/** The tasks of one replay: who has which id, which are new, and who waits for which answer. */
export interface TaskLedger {
  /** Gives the next id to a task; it is a new operation unless the history knows the id. */
  schedule(make: (id: number) => Operation, settle: Settle): number;
  /** Hands an answer to the task that waits for it; false when none does. */
  complete(event: HistoryEvent): boolean;
  /** From now on an answer to this task is ignored. */
  abandon(id: number): void;
  /** Until it is released, a task that is scheduled fails the replay with this reason. */
  hold(reason: string): () => void;
  operations(): readonly Operation[];
  /** What the tasks that still wait are, for people. */
  waiting(): readonly string[];
  /** Throws when the history has scheduled something that this replay has not. */
  requireNothingForgotten(): void;
}

/** Throws an OrchestrationFault where the replay schedules another kind or name than the history has at an id. */
export function createTaskLedger(history: readonly HistoryEvent[]): TaskLedger {
  const unmatched = new Map<number, SchedulingEvent>();
  for (const event of history) if (isScheduling(event)) unmatched.set(event.EventId, event);
  const operations: Operation[] = [];
  const waiting = new Map<number, { readonly label: string; readonly settle: Settle }>();
  /** Tasks by the id of their request to an entity. */
  const calls = new Map<string, number>();
  const holds = new Set<{ readonly reason: string }>();
  let nextId = 0;

  return {
    schedule(make, settle) {
      const [held] = holds;
      if (held !== undefined) throw new OrchestrationFault(held.reason);
      const id = nextId++;
      const operation = make(id);
      if (operation.kind === 'entity') calls.set(operation.message.request.id, id);
      const known = unmatched.get(id);
      if (known === undefined) operations.push(operation);
      else requireSame(known, operation);
      unmatched.delete(id);
      waiting.set(id, { label: describe(operation), settle });
      return id;
    },
    complete(event) {
      const id = event.EventType === EventType.eventRaised ? calls.get(event.Name) : completedTaskId(event);
      const task = id === undefined ? undefined : waiting.get(id);
      if (id === undefined || task === undefined) return false;
      waiting.delete(id);
      const ok = event.EventType !== EventType.taskFailed && event.EventType !== EventType.subOrchestrationFailed;
      task.settle(ok, event.EventType === EventType.taskCompleted ? event.Result : null);
      return true;
    },
    abandon: (id) => void waiting.delete(id),
    hold(reason) {
      const held = { reason };
      holds.add(held);
      return () => void holds.delete(held);
    },
    operations: () => operations,
    waiting: () => Array.from(waiting.values(), ({ label }) => label),
    requireNothingForgotten() {
      const [forgotten] = unmatched.values();
      if (forgotten === undefined) return;
      throw new OrchestrationFault(
        `Non-Deterministic workflow detected: the history has ${describeEvent(forgotten)} at id ${forgotten.EventId}, ` +
          'which this replay did not schedule.',
      );
    },
  };
}

function requireSame(known: SchedulingEvent, operation: Operation): void {
  const before = describeEvent(known);
  const after = describe(operation);
  if (before === after) return;
  throw new OrchestrationFault(
    `Non-Deterministic workflow detected: the history has ${before} at id ${operation.id}, this replay has ${after}.`,
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
    case 'entity':
      return describeMessage(operation.message);
  }
}

function describeMessage({ target, request }: EntityMessage): string {
  return `${request.signal === true ? 'signal' : 'call'} of '${request.op}' to the entity '${target}'`;
}

function describeEvent(event: SchedulingEvent): string {
  switch (event.EventType) {
    case EventType.taskScheduled:
      return `activity '${event.Name}'`;
    case EventType.subOrchestrationCreated:
      return `sub-orchestration '${event.Name}'`;
    case EventType.timerCreated:
      return 'a timer';
    case EventType.eventSent:
      return describeMessage({ target: event.InstanceId, request: parseEntityRequest(event.Input) });
  }
}

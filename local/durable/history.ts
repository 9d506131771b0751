/** Event numbers of the Durable Task history, as the JavaScript SDK reads them. */
export const EventType = {
  executionStarted: 0,
  executionCompleted: 1,
  executionTerminated: 3,
  taskScheduled: 4,
  taskCompleted: 5,
  taskFailed: 6,
  subOrchestrationCreated: 7,
  subOrchestrationCompleted: 8,
  subOrchestrationFailed: 9,
  timerCreated: 10,
  timerFired: 11,
  orchestratorStarted: 12,
  orchestratorCompleted: 13,
  eventSent: 14,
  eventRaised: 15,
  genericEvent: 17,
  executionSuspended: 19,
  executionResumed: 20,
} as const;

/** Who waits for a sub-orchestration: the parent's execution and the id of the task there. */
export interface ParentInstance {
  readonly name: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskScheduledId: number;
}

/** The part of an event that says what happened. All values are JSON text, never objects of the app. */
export type EventBody =
  | {
      readonly EventType: typeof EventType.executionStarted;
      readonly Name: string;
      readonly Version: string;
      readonly Input: string | null;
      readonly ParentInstance: {
        readonly Name: string;
        readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
        readonly TaskScheduleId: number;
      } | null;
      readonly OrchestrationInstance: { readonly InstanceId: string; readonly ExecutionId: string };
    }
  | {
      readonly EventType: typeof EventType.executionCompleted;
      readonly OrchestrationStatus: string;
      readonly Result: string | null;
    }
  | { readonly EventType: typeof EventType.executionTerminated; readonly Input: string }
  | {
      readonly EventType: typeof EventType.taskScheduled;
      readonly EventId: number;
      readonly Name: string;
      readonly Input: string | null;
    }
  | {
      readonly EventType: typeof EventType.taskCompleted;
      readonly TaskScheduledId: number;
      readonly Result: string | null;
    }
  | {
      readonly EventType: typeof EventType.taskFailed;
      readonly TaskScheduledId: number;
      readonly Reason: string;
      readonly Details: string;
    }
  | {
      readonly EventType: typeof EventType.subOrchestrationCreated;
      readonly EventId: number;
      readonly Name: string;
      readonly InstanceId: string;
      readonly Version: string;
      readonly Input: string | null;
    }
  | {
      readonly EventType: typeof EventType.subOrchestrationCompleted;
      readonly TaskScheduledId: number;
      readonly Result: string | null;
    }
  | {
      readonly EventType: typeof EventType.subOrchestrationFailed;
      readonly TaskScheduledId: number;
      readonly Reason: string;
      readonly Details: string;
    }
  | { readonly EventType: typeof EventType.timerCreated; readonly EventId: number; readonly FireAt: string }
  | { readonly EventType: typeof EventType.timerFired; readonly TimerId: number; readonly FireAt: string }
  | { readonly EventType: typeof EventType.orchestratorStarted }
  | { readonly EventType: typeof EventType.orchestratorCompleted }
  | {
      readonly EventType: typeof EventType.eventSent;
      readonly EventId: number;
      readonly InstanceId: string;
      readonly Name: string;
      readonly Input: string;
    }
  | { readonly EventType: typeof EventType.eventRaised; readonly Name: string; readonly Input: string | null }
  /** Asks for an episode, and says why; orchestrators do not see it. A rewound history ends with one. */
  | { readonly EventType: typeof EventType.genericEvent; readonly Data: string }
  | { readonly EventType: typeof EventType.executionSuspended; readonly Reason: string }
  | { readonly EventType: typeof EventType.executionResumed; readonly Reason: string };

/** One stored event: what happened, and when (ISO with Z). */
export type HistoryEvent = EventBody & { readonly Timestamp: string };

/** The id of the task that an event completes; undefined for every other event. */
export function completedTaskId(event: EventBody): number | undefined {
  switch (event.EventType) {
    case EventType.taskCompleted:
    case EventType.taskFailed:
    case EventType.subOrchestrationCompleted:
    case EventType.subOrchestrationFailed:
      return event.TaskScheduledId;
    case EventType.timerFired:
      return event.TimerId;
    default:
      return undefined;
  }
}

/** Events that schedule a task, with its id. */
export type SchedulingEvent = Extract<EventBody, { readonly EventId: number }>;

export function isScheduling(event: EventBody): event is SchedulingEvent {
  return (
    event.EventType === EventType.taskScheduled ||
    event.EventType === EventType.subOrchestrationCreated ||
    event.EventType === EventType.timerCreated ||
    event.EventType === EventType.eventSent
  );
}

export function isEventSent<E extends EventBody>(
  event: E,
): event is Extract<E, { readonly EventType: typeof EventType.eventSent }> {
  return event.EventType === EventType.eventSent;
}

import { z } from 'zod';
import { EventType, type EventBody, type HistoryEvent } from './history.ts';

const stamped = { Timestamp: z.string() };
const text = z.string().nullable();
const id = z.number().int();
const instance = z.object({ InstanceId: z.string(), ExecutionId: z.string() });
const failure = { ...stamped, TaskScheduledId: id, Reason: z.string(), Details: z.string() };
const answer = { ...stamped, TaskScheduledId: id, Result: text };

/** One schema for each kind of event: a kind that is missing here does not compile. */
const schemas: { readonly [K in EventBody['EventType']]: z.ZodType<Extract<HistoryEvent, { EventType: K }>> } = {
  [EventType.executionStarted]: z.object({
    ...stamped,
    EventType: z.literal(EventType.executionStarted),
    Name: z.string(),
    Version: z.string(),
    Input: text,
    ParentInstance: z.object({ Name: z.string(), OrchestrationInstance: instance, TaskScheduleId: id }).nullable(),
    OrchestrationInstance: instance,
  }),
  [EventType.executionCompleted]: z.object({
    ...stamped,
    EventType: z.literal(EventType.executionCompleted),
    OrchestrationStatus: z.string(),
    Result: text,
  }),
  [EventType.executionTerminated]: z.object({
    ...stamped,
    EventType: z.literal(EventType.executionTerminated),
    Input: z.string(),
  }),
  [EventType.taskScheduled]: z.object({
    ...stamped,
    EventType: z.literal(EventType.taskScheduled),
    EventId: id,
    Name: z.string(),
    Input: text,
  }),
  [EventType.taskCompleted]: z.object({ ...answer, EventType: z.literal(EventType.taskCompleted) }),
  [EventType.taskFailed]: z.object({ ...failure, EventType: z.literal(EventType.taskFailed) }),
  [EventType.subOrchestrationCreated]: z.object({
    ...stamped,
    EventType: z.literal(EventType.subOrchestrationCreated),
    EventId: id,
    Name: z.string(),
    InstanceId: z.string(),
    Version: z.string(),
    Input: text,
  }),
  [EventType.subOrchestrationCompleted]: z.object({
    ...answer,
    EventType: z.literal(EventType.subOrchestrationCompleted),
  }),
  [EventType.subOrchestrationFailed]: z.object({ ...failure, EventType: z.literal(EventType.subOrchestrationFailed) }),
  [EventType.timerCreated]: z.object({
    ...stamped,
    EventType: z.literal(EventType.timerCreated),
    EventId: id,
    FireAt: z.iso.datetime(),
  }),
  [EventType.timerFired]: z.object({
    ...stamped,
    EventType: z.literal(EventType.timerFired),
    TimerId: id,
    FireAt: z.string(),
  }),
  [EventType.orchestratorStarted]: z.object({ ...stamped, EventType: z.literal(EventType.orchestratorStarted) }),
  [EventType.orchestratorCompleted]: z.object({ ...stamped, EventType: z.literal(EventType.orchestratorCompleted) }),
  [EventType.eventSent]: z.object({
    ...stamped,
    EventType: z.literal(EventType.eventSent),
    EventId: id,
    InstanceId: z.string(),
    Name: z.string(),
    Input: z.string(),
  }),
  [EventType.eventRaised]: z.object({
    ...stamped,
    EventType: z.literal(EventType.eventRaised),
    Name: z.string(),
    Input: text,
  }),
  [EventType.genericEvent]: z.object({
    ...stamped,
    EventType: z.literal(EventType.genericEvent),
    Data: z.string(),
  }),
  [EventType.executionSuspended]: z.object({
    ...stamped,
    EventType: z.literal(EventType.executionSuspended),
    Reason: z.string(),
  }),
  [EventType.executionResumed]: z.object({
    ...stamped,
    EventType: z.literal(EventType.executionResumed),
    Reason: z.string(),
  }),
};

const kinds: ReadonlySet<number> = new Set(Object.values(EventType));
const kind = z.looseObject({
  EventType: z.custom<EventBody['EventType']>((value) => typeof value === 'number' && kinds.has(value)),
});

/** Reads one event of a stored history. Throws a ZodError or SyntaxError on text that is none. */
export function parseEvent(json: string): HistoryEvent {
  const event = kind.parse(JSON.parse(json));
  return schemas[event.EventType].parse(event);
}

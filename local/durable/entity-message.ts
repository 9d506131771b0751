import { createHash } from 'node:crypto';
import { z } from 'zod';
import { EventType, isEventSent, type EventBody, type HistoryEvent } from './history.ts';

/** One operation that an entity is asked for, with the property names of the extension (EXT RequestMessage). */
const requestSchema = z.object({
  op: z.string(),
  /** True when nobody waits for an answer. */
  signal: z.boolean().optional(),
  /** JSON text; absent for none. */
  input: z.string().optional(),
  /** A UUID; the answer is an event of this name. */
  id: z.string(),
  /** The instance that asks; absent for a client, which never sends the same request twice. */
  parent: z.string().optional(),
  parentExecution: z.string().optional(),
});
export type EntityRequest = z.infer<typeof requestSchema>;

/** A request and the entity it goes to, by the id of the entity's instance (`@name@key`). */
export interface EntityMessage {
  readonly target: string;
  readonly request: EntityRequest;
}

const requestEventName = 'op';

/** Throws a ZodError or SyntaxError on text that is no request. */
export function parseEntityRequest(json: string): EntityRequest {
  return requestSchema.parse(JSON.parse(json));
}

/** The event in which a request waits at its entity. */
export function requestEvent(request: EntityRequest): EventBody {
  return { EventType: EventType.eventRaised, Name: requestEventName, Input: JSON.stringify(request) };
}

/** The event by which an orchestration's history tells of a request that it has sent. */
export function sentEvent(id: number, { target, request }: EntityMessage): EventBody {
  const Input = JSON.stringify(request);
  return { EventType: EventType.eventSent, EventId: id, InstanceId: target, Name: requestEventName, Input };
}

/** The event by which an orchestration hears of the end of a call (EXT ResponseMessage). `result` is JSON text. */
export function answerEvent(requestId: string, result: string | null, isError: boolean): EventBody {
  const answer = { result, ...(isError ? { exceptionType: 'Error' } : {}) };
  return { EventType: EventType.eventRaised, Name: requestId, Input: JSON.stringify(answer) };
}

/** What the last committed episode of a history sent to entities, in the order of the tasks. */
export function lastSent(history: readonly HistoryEvent[]): readonly EntityMessage[] {
  const begin = history.findLastIndex((event) => event.EventType === EventType.orchestratorStarted);
  return history
    .slice(Math.max(begin, 0))
    .filter(isEventSent)
    .map((event) => ({ target: event.InstanceId, request: parseEntityRequest(event.Input) }));
}

/** The id of a task's request: a replay makes the same, so that an entity can tell a repeated delivery. */
export function requestIdOf(executionId: string, task: number): string {
  const hex = createHash('sha256').update(`${executionId}:${task}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

export interface EntityId {
  readonly name: string;
  readonly key: string;
}

/** The id of the instance that holds an entity: the name does not depend on case, the key does. */
export function entityInstanceId({ name, key }: EntityId): string {
  return `@${name.toLowerCase()}@${key}`;
}

/** Undefined for the id of an orchestration, which never begins with "@". */
export function parseEntityInstanceId(instanceId: string): EntityId | undefined {
  const [, name, key] = /^@([^@]+)@(.*)$/s.exec(instanceId) ?? [];
  return name === undefined || key === undefined ? undefined : { name, key };
}

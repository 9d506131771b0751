import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { EntityAnswer } from './entity-batch.ts';
import type { EntityMemory } from './entity-memory.ts';
import { entityInstanceId, parseEntityRequest, type EntityMessage, type EntityRequest } from './entity-message.ts';
import { EventType } from './history.ts';
import type { StoredMessage } from './store.ts';

/** A message that waits at an entity; without a request it is none that an entity understands. */
export interface QueuedMessage {
  readonly messageId: string;
  readonly request: EntityRequest | undefined;
}

export function queued({ messageId, event }: StoredMessage): QueuedMessage {
  if (event.EventType !== EventType.eventRaised || event.Input === null) return { messageId, request: undefined };
  try {
    return { messageId, request: parseEntityRequest(event.Input) };
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return { messageId, request: undefined };
    throw error;
  }
}

/** The requests of these messages that have not been applied yet, each once. */
export function newRequests(memory: EntityMemory, items: readonly QueuedMessage[]): EntityRequest[] {
  const seen = new Set(memory.applied);
  const requests: EntityRequest[] = [];
  for (const { request } of items) {
    if (request === undefined || seen.has(request.id)) continue;
    seen.add(request.id);
    requests.push(request);
  }
  return requests;
}

/** What an entity remembers after a batch. Ids that are `spent` are struck off what it has applied. */
export function memoryAfter(
  before: EntityMemory,
  requests: readonly EntityRequest[],
  { next, results, signals }: EntityAnswer,
  spent: ReadonlySet<string>,
): EntityMemory {
  const repeatable = requests.filter(({ parent }) => parent !== undefined).map(({ id }) => id);
  return {
    ...next,
    applied: [...before.applied, ...repeatable].filter((id) => !spent.has(id)),
    outbox: {
      answers: requests.flatMap((request, index) => answersTo(request, results[index])),
      signals: signals.map(({ target, operation, input }) => ({
        ...{ target: entityInstanceId(target), operation, input, id: randomUUID() },
      })),
    },
  };
}

function answersTo(
  { id, parent, signal }: EntityRequest,
  result: EntityAnswer['results'][number] | undefined,
): EntityMemory['outbox']['answers'] {
  if (signal === true || parent === undefined || result === undefined) return [];
  return [{ instanceId: parent, requestId: id, result: result.result, isError: result.isError }];
}

export function hasOutbox({ outbox }: EntityMemory): boolean {
  return outbox.answers.length > 0 || outbox.signals.length > 0;
}

/** The signals that an entity has still to send, as requests of its own. */
export function signalsOf({ outbox }: EntityMemory, parent: string): EntityMessage[] {
  return outbox.signals.map(({ target, operation, input, id }) => ({
    target,
    request: { op: operation, signal: true, ...(input === null ? {} : { input }), id, parent },
  }));
}

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Log } from '../log.ts';
import { decodeEntityAnswer, encodeEntityBatch, type EntityAnswer } from './entity-batch.ts';
import { memoryOf, newEntityHead, withMemory, type EntityMemory } from './entity-memory.ts';
import {
  answerEvent,
  entityInstanceId,
  parseEntityInstanceId,
  parseEntityRequest,
  requestEvent,
  type EntityId,
  type EntityMessage,
  type EntityRequest,
} from './entity-message.ts';
import { EventType, type EventBody } from './history.ts';
import type { FunctionRunner } from './runner.ts';
import { maxConsumed, newMessageId } from './store.ts';
import type { InstanceHead, InstanceStore, StoredInstance, StoredMessage } from './store.ts';

export interface EntitySchedulerOptions {
  readonly store: InstanceStore;
  readonly runner: Pick<FunctionRunner, 'runEntity'>;
  readonly log: Log;
  /** Hands the answer of a call to the orchestration that asked; may be repeated. */
  readonly answer: (instanceId: string, event: EventBody) => Promise<void>;
}

/** Runs the operations of each entity one after the other, whoever asked for them. */
export interface EntityScheduler {
  /** Answers once every request is stored at its entity, in their order. A request that is repeated counts once. */
  deliver(messages: readonly EntityMessage[]): Promise<void>;
  /** These will never be delivered again: their ids need not be remembered. */
  forget(messages: readonly EntityMessage[]): void;
  /** Goes on with an entity of an earlier host. */
  recover(stored: StoredInstance): void;
  stop(): void;
}

/** An entity in memory: a cache of what the store holds. */
interface LiveEntity {
  readonly id: EntityId;
  head: InstanceHead;
  memory: EntityMemory;
  readonly queue: StoredMessage[];
  readonly forgotten: Set<string>;
  busy: boolean;
}

const retryAfterFaultMs = 1000;

export function createEntityScheduler({ store, runner, log, answer }: EntitySchedulerOptions): EntityScheduler {
  const live = new Map<string, LiveEntity>();
  const loading = new Map<string, Promise<LiveEntity>>();
  let stopped = false;

  async function load(instanceId: string): Promise<LiveEntity> {
    const known = live.get(instanceId);
    if (known !== undefined) return known;
    const pending = loading.get(instanceId) ?? read(instanceId).finally(() => loading.delete(instanceId));
    loading.set(instanceId, pending);
    return pending;
  }

  async function read(instanceId: string): Promise<LiveEntity> {
    const id = entityOf(instanceId);
    const head = newEntityHead(instanceId, id.name);
    const { existing } = await store.create(head);
    const stored = existing === undefined ? undefined : await store.read(instanceId);
    return toLive(stored ?? { head, history: [], messages: [] });
  }

  function toLive({ head, messages }: StoredInstance): LiveEntity {
    const entity: LiveEntity = {
      ...{ id: entityOf(head.instanceId), head, memory: memoryOf(head), queue: [...messages] },
      ...{ forgotten: new Set<string>(), busy: false },
    };
    live.set(head.instanceId, entity);
    return entity;
  }

  async function deliver(messages: readonly EntityMessage[]): Promise<void> {
    const byTarget = Map.groupBy(messages, ({ target }) => target);
    await Promise.all(Array.from(byTarget, ([target, each]) => enqueue(target, each)));
  }

  async function enqueue(target: string, messages: readonly EntityMessage[]): Promise<void> {
    const entity = await load(target);
    for (const { request } of messages) {
      const message = { messageId: newMessageId(), event: requestEvent(request) };
      await store.addMessage(target, message);
      entity.queue.push(message);
      void work(entity);
    }
  }

  /** Runs batches until nothing waits and nothing is left to send. */
  async function work(entity: LiveEntity): Promise<void> {
    if (entity.busy) return;
    entity.busy = true;
    while (!stopped && (entity.queue.length > 0 || hasOutbox(entity.memory))) {
      try {
        await step(entity);
      } catch (error) {
        log.error(`The entity '${entity.head.instanceId}' could not go on; the batch is repeated.`, error);
        await sleep(retryAfterFaultMs, undefined, { ref: false });
      }
    }
    entity.busy = false;
  }

  /** Sends what the last batch decided, then runs the next and commits it. Without operations it clears the outbox. */
  async function step(entity: LiveEntity): Promise<void> {
    const { memory } = entity;
    const sent = signalsOf(entity);
    for (const { instanceId, requestId, result, isError } of memory.outbox.answers) {
      await answer(instanceId, answerEvent(requestId, result, isError));
    }
    await deliver(sent);

    const items = entity.queue.slice(0, maxConsumed);
    const requests = newRequests(entity, items);
    const { next, results, signals } = await run(entity, requests);
    const repeatable = requests.filter(({ parent }) => parent !== undefined).map(({ id }) => id);
    const applied = Object.groupBy([...memory.applied, ...repeatable], (id) =>
      entity.forgotten.has(id) ? 'forgotten' : 'kept',
    );
    const after: EntityMemory = {
      ...next,
      applied: applied.kept ?? [],
      outbox: {
        answers: requests.flatMap((request, index) => answersTo(request, results[index])),
        signals: signals.map(({ target, operation, input }) => ({
          ...{ target: entityInstanceId(target), operation, input, id: randomUUID() },
        })),
      },
    };
    const head = withMemory(entity.head, after);
    await store.commit({ head, newEvents: [], consumed: items.map(({ messageId }) => messageId) });
    entity.head = head;
    entity.memory = after;
    entity.queue.splice(0, items.length);
    for (const id of applied.forgotten ?? []) entity.forgotten.delete(id);
    forget(sent);
  }

  /** The requests of these messages that have not been applied yet. */
  function newRequests(entity: LiveEntity, items: readonly StoredMessage[]): EntityRequest[] {
    const seen = new Set(entity.memory.applied);
    const requests: EntityRequest[] = [];
    for (const { event } of items) {
      const request = requestIn(event);
      if (request === undefined) {
        log.warn(`The entity '${entity.head.instanceId}' was sent something that is no operation; it is dropped.`);
      } else if (!seen.has(request.id)) {
        seen.add(request.id);
        requests.push(request);
      }
    }
    return requests;
  }

  async function run({ id, memory }: LiveEntity, requests: readonly EntityRequest[]): Promise<EntityAnswer> {
    const { exists, state } = memory;
    const before = { exists, state };
    if (requests.length === 0) return { next: before, results: [], signals: [] };
    const answered = await runner.runEntity(id.name, encodeEntityBatch(id, before, requests));
    try {
      if (!answered.ok) throw new Error(answered.message);
      return decodeEntityAnswer(answered.result ?? 'null', requests.length);
    } catch (error) {
      // The function failed as a whole, so none of its operations has happened.
      const text = error instanceof Error ? error.message : String(error);
      log.error(`The entity function '${id.name}' failed for '${id.key}': ${text}`);
      return {
        next: before,
        results: requests.map(() => ({ isError: true, result: JSON.stringify(text) })),
        signals: [],
      };
    }
  }

  function forget(messages: readonly EntityMessage[]): void {
    for (const { target, request } of messages) live.get(target)?.forgotten.add(request.id);
  }

  return {
    deliver,
    forget,
    recover(stored) {
      const { instanceId } = stored.head;
      // A signal may have brought it into memory already.
      const pending = loading.get(instanceId);
      if (pending !== undefined) void pending.then(work, () => undefined);
      else void work(live.get(instanceId) ?? toLive(stored));
    },
    stop() {
      stopped = true;
    },
  };
}

function entityOf(instanceId: string): EntityId {
  const id = parseEntityInstanceId(instanceId);
  if (id === undefined) throw new Error(`'${instanceId}' is not the id of an entity.`);
  return id;
}

function hasOutbox({ outbox }: EntityMemory): boolean {
  return outbox.answers.length > 0 || outbox.signals.length > 0;
}

function signalsOf({ head, memory }: LiveEntity): EntityMessage[] {
  return memory.outbox.signals.map(({ target, operation, input, id }) => ({
    target,
    request: { op: operation, signal: true, ...(input === null ? {} : { input }), id, parent: head.instanceId },
  }));
}

function requestIn(event: EventBody): EntityRequest | undefined {
  if (event.EventType !== EventType.eventRaised || event.Input === null) return undefined;
  try {
    return parseEntityRequest(event.Input);
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function answersTo(
  { id, parent, signal }: EntityRequest,
  result: EntityAnswer['results'][number] | undefined,
): EntityMemory['outbox']['answers'] {
  if (signal === true || parent === undefined || result === undefined) return [];
  return [{ instanceId: parent, requestId: id, result: result.result, isError: result.isError }];
}

import type { Log } from '../log.ts';
import { decodeEntityAnswer, encodeEntityBatch, type EntityAnswer } from './entity-batch.ts';
import { memoryOf, newEntityHead, withMemory, type EntityMemory } from './entity-memory.ts';
import {
  answerEvent,
  parseEntityInstanceId,
  requestEvent,
  type EntityId,
  type EntityMessage,
  type EntityRequest,
} from './entity-message.ts';
import { hasOutbox, memoryAfter, newRequests, queued, signalsOf, type QueuedMessage } from './entity-turn.ts';
import type { EventBody } from './history.ts';
import type { FunctionRunner } from './runner.ts';
import { maxConsumed, newMessageId, type InstanceHead, type InstanceStore, type StoredInstance } from './store.ts';
import { untilDone } from './until-done.ts';

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
  /** As `deliver`, again and again until it is done or the host stops. */
  insist(messages: readonly EntityMessage[]): Promise<void>;
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
  readonly queue: QueuedMessage[];
  readonly forgotten: Set<string>;
  busy: boolean;
}

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
    // It may have been recovered meanwhile, and have gone on.
    return live.get(instanceId) ?? toLive(stored ?? { head, history: [], messages: [] });
  }

  function toLive({ head, messages }: StoredInstance): LiveEntity {
    const entity: LiveEntity = {
      ...{ id: entityOf(head.instanceId), head, memory: memoryOf(head), queue: messages.map(queued) },
      ...{ forgotten: new Set<string>(), busy: false },
    };
    live.set(head.instanceId, entity);
    return entity;
  }

  async function deliver(messages: readonly EntityMessage[]): Promise<void> {
    const byTarget = Map.groupBy(messages, ({ target }) => target);
    await Promise.all(Array.from(byTarget, ([target, each]) => enqueue(target, each)));
  }

  async function insist(messages: readonly EntityMessage[]): Promise<void> {
    const [sender = ''] = messages.map(({ request }) => request.parent);
    const fault = `What '${sender}' sends to entities could not be stored; it is tried again.`;
    await untilDone(() => deliver(messages), { log, fault, isStopped: () => stopped });
  }

  async function enqueue(target: string, messages: readonly EntityMessage[]): Promise<void> {
    const entity = await load(target);
    for (const { request } of messages) {
      const messageId = newMessageId();
      const take = (): void => {
        entity.queue.push({ messageId, request });
        void work(entity);
      };
      try {
        await store.addMessage(target, { messageId, event: requestEvent(request) });
      } catch (error) {
        // Only its answer may be lost. An instance sends it again, and of the two one counts; a client is told.
        if (request.parent !== undefined) take();
        throw error;
      }
      take();
    }
  }

  /** Runs batches until nothing waits and nothing is left to send. */
  async function work(entity: LiveEntity): Promise<void> {
    if (entity.busy) return;
    entity.busy = true;
    const fault = `The entity '${entity.head.instanceId}' could not go on; the batch is repeated.`;
    while (!stopped && (entity.queue.length > 0 || hasOutbox(entity.memory))) {
      await untilDone(() => step(entity), { log, fault, isStopped: () => stopped });
    }
    entity.busy = false;
  }

  /** Sends what the last batch decided, then runs the next and commits it. Without operations it clears the outbox. */
  async function step(entity: LiveEntity): Promise<void> {
    const { memory } = entity;
    const sent = signalsOf(memory, entity.head.instanceId);
    for (const { instanceId, requestId, result, isError } of memory.outbox.answers) {
      await answer(instanceId, answerEvent(requestId, result, isError));
    }
    await deliver(sent);

    const items = entity.queue.slice(0, maxConsumed);
    const requests = newRequests(memory, items);
    if (items.some(({ request }) => request === undefined)) {
      log.warn(`The entity '${entity.head.instanceId}' was sent something that is no operation; it is dropped.`);
    }
    const decided = await run(entity, requests);
    const later = new Set(entity.queue.slice(items.length).map(({ request }) => request?.id));
    // An id is kept while a repeat of its request waits, though the sender is done with it.
    const spent = new Set(Array.from(entity.forgotten).filter((id) => !later.has(id)));
    const after = memoryAfter(memory, requests, decided, spent);
    const head = withMemory(entity.head, after);
    await store.commit({ head, newEvents: [], consumed: items.map(({ messageId }) => messageId) });
    entity.head = head;
    entity.memory = after;
    entity.queue.splice(0, items.length);
    for (const id of spent) entity.forgotten.delete(id);
    forget(sent);
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
    insist,
    forget,
    recover(stored) {
      // A delivery may have been first: it has read all of this too.
      if (!live.has(stored.head.instanceId)) void work(toLive(stored));
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

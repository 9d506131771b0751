import type { Reply } from '../http/reply.ts';
import { listInstances, purgeInstances } from './api-lists.ts';
import { isFalse, isJsonOrEmpty, isTrue, problem, unsupported } from './api-replies.ts';
import { createStarts } from './api-starts.ts';
import { answerEntityRequest } from './entity-api.ts';
import { parseEntityInstanceId } from './entity-message.ts';
import type { DurableEngine } from './engine.ts';
import { EventType, type EventBody } from './history.ts';
import { instanceLinks, type HubAddress } from './links.ts';
import { statusOf } from './status.ts';
import { isFinished, type InstanceStore } from './store.ts';

export interface ApiRequest {
  readonly method: string;
  /** Decoded segments behind the prefix of the API. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly contentType: string;
  /** Of the page before (x-ms-continuation-token). */
  readonly continuation: string | undefined;
  readonly body: string;
}

export interface DurableApi {
  answer(request: ApiRequest): Promise<Reply>;
}

export interface ApiOptions {
  readonly engine: DurableEngine;
  readonly store: InstanceStore;
  readonly orchestrators: readonly string[];
  readonly entities: readonly string[];
  readonly hub: () => HubAddress;
}

/** The HTTP API of the Durable extension (EXT HttpApiHandler), under its webhook and its rpc prefix. */
export function createDurableApi({ engine, store, orchestrators, entities, hub }: ApiOptions): DurableApi {
  const starts = createStarts({ engine, store, orchestrators, hub, status });

  async function status(instanceId: string, query: URLSearchParams): Promise<Reply> {
    const showHistory = isTrue(query.get('showHistory'));
    const stored = showHistory ? await store.read(instanceId) : undefined;
    const head = stored?.head ?? (await store.readHead(instanceId));
    if (head === undefined) return problem(404, `No instance with ID '${instanceId}' was found.`);
    const json = statusOf(head, {
      showInput: !isFalse(query.get('showInput')),
      showHistoryOutput: isTrue(query.get('showHistoryOutput')),
      ...(stored === undefined ? {} : { history: stored.history }),
    });
    if (isFinished(head.status)) {
      const asError = head.status === 'Failed' && isTrue(query.get('returnInternalServerErrorOnFailure'));
      return { status: asError ? 500 : 200, json };
    }
    const headers = { Location: instanceLinks(hub(), instanceId).statusQueryGetUri, 'Retry-After': '5' };
    return { status: 202, headers, json };
  }

  async function purge(instanceId: string): Promise<boolean> {
    const head = await store.readHead(instanceId);
    return head !== undefined && isFinished(head.status) && (await store.remove(instanceId));
  }

  async function send(instanceId: string, event: EventBody): Promise<Reply> {
    const answer = await engine.send(instanceId, event);
    return { status: { added: 202, absent: 404, finished: 410 }[answer] };
  }

  async function rewind(instanceId: string, reason: string): Promise<Reply> {
    const answer = await engine.rewind(instanceId, reason);
    if (answer === 'unfinished') {
      return problem(412, 'The rewind operation is only supported on failed orchestration instances.');
    }
    return { status: { rewound: 202, absent: 404, finished: 410 }[answer] };
  }

  function operate(request: ApiRequest, instanceId: string, operation: string, rest: readonly string[]) {
    if (parseEntityInstanceId(instanceId) !== undefined) return unsupported(`${operation} of an entity`);
    const reason = request.query.get('reason') ?? '';
    switch (operation.toLowerCase()) {
      case 'raiseevent': {
        const [name] = rest;
        if (name === undefined) return problem(404, 'The event has no name.');
        if (!request.contentType.startsWith('application/json')) {
          return problem(400, 'Only application/json request content is supported.');
        }
        if (!isJsonOrEmpty(request.body)) return problem(400, 'The event is not JSON.');
        const Input = request.body === '' ? null : request.body;
        return send(instanceId, { EventType: EventType.eventRaised, Name: name, Input });
      }
      case 'terminate':
        return send(instanceId, { EventType: EventType.executionTerminated, Input: reason });
      case 'suspend':
        return send(instanceId, { EventType: EventType.executionSuspended, Reason: reason });
      case 'resume':
        return send(instanceId, { EventType: EventType.executionResumed, Reason: reason });
      case 'rewind':
        return rewind(instanceId, reason);
      case 'restart':
        return starts.restart(instanceId, request.query);
      default:
        return unsupported(operation);
    }
  }

  async function route(request: ApiRequest, [collection = '', ...path]: readonly string[]): Promise<Reply> {
    const [id, operation, ...rest] = path;
    const { method } = request;
    if (collection === 'orchestrators' && id !== undefined && method === 'POST') {
      return starts.start(id, operation, request.query, request.body);
    }
    if (collection === 'entities') {
      const scheduler = engine.entities;
      const reply = answerEntityRequest({ scheduler, store, entities }, request, path);
      return reply ?? unsupported(`${method} on entities`);
    }
    if (collection !== 'instances') return unsupported(`${method} ${collection}`);
    if (id === undefined) {
      if (method === 'GET') return listInstances(store, request.query, request.continuation);
      if (method === 'DELETE') return purgeInstances(store, request.query);
    } else if (operation === undefined) {
      if (method === 'GET') return status(id, request.query);
      if (method === 'DELETE') {
        return (await purge(id)) ? { status: 200, json: { instancesDeleted: 1 } } : { status: 404 };
      }
    } else if (method === 'POST') return operate(request, id, operation, rest);
    return unsupported(`${method} on instances`);
  }

  return { answer: (request) => route(request, request.segments) };
}

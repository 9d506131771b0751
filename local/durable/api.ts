import { z } from 'zod';
import type { Reply } from '../http/reply.ts';
import { answerEntityRequest } from './entity-api.ts';
import type { DurableEngine } from './engine.ts';
import { EventType, type EventBody } from './history.ts';
import { instanceLinks, rpcPath, webhookPath, type HubAddress } from './links.ts';
import { statusOf } from './status.ts';
import { isFinished, type InstanceHead, type InstanceStore } from './store.ts';

export interface ApiRequest {
  readonly method: string;
  /** Decoded segments of the whole path. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: string;
}

export interface DurableApi {
  /** Undefined when the path belongs to neither prefix. */
  answer(request: ApiRequest): Promise<Reply> | undefined;
}

export interface ApiOptions {
  readonly engine: DurableEngine;
  readonly store: InstanceStore;
  readonly orchestrators: readonly string[];
  readonly entities: readonly string[];
  readonly hub: () => HubAddress;
}

const filterSchema = z.object({
  createdTimeFrom: z.coerce.date().optional(),
  createdTimeTo: z.coerce.date().optional(),
  runtimeStatus: z
    .string()
    .transform((list) => list.split(',').map((status) => status.trim().toLowerCase()))
    .optional(),
  instanceIdPrefix: z.string().optional(),
});
type Filter = z.infer<typeof filterSchema>;

const badId = /^@|[/\\#?\p{Cc}]/u;

/** The HTTP API of the Durable extension (EXT HttpApiHandler), under its webhook and its rpc prefix. */
export function createDurableApi({ engine, store, orchestrators, entities, hub }: ApiOptions): DurableApi {
  async function start(request: ApiRequest, name: string, instanceId: string | undefined): Promise<Reply> {
    if (request.query.has('timeout')) return unsupported('starting and waiting for the end (timeout)');
    const known = orchestrators.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    if (known === undefined) {
      const list = orchestrators.map((candidate) => `'${candidate}'`).join(', ');
      return problem(
        400,
        `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function. ` +
          `The following are the known orchestrator functions: ${list}.`,
      );
    }
    if (instanceId !== undefined && (badId.test(instanceId) || instanceId.length > 256)) {
      return problem(400, `'${instanceId}' is not a valid instance id.`);
    }
    if (!isJsonOrEmpty(request.body)) return problem(400, 'The input is not JSON.');
    const version = request.query.get('version');
    const started = await engine.start({
      name: known,
      ...(instanceId === undefined ? {} : { instanceId }),
      input: request.body === '' ? null : request.body,
      ...(version === null ? {} : { version }),
    });
    if (started.existing !== undefined) {
      return problem(409, `An Orchestration instance with the status ${started.existing} already exists.`);
    }
    const links = instanceLinks(hub(), started.instanceId);
    return { status: 202, headers: { Location: links.statusQueryGetUri, 'Retry-After': '10' }, json: links };
  }

  async function status(request: ApiRequest, instanceId: string): Promise<Reply> {
    const showHistory = isTrue(request.query.get('showHistory'));
    const stored = showHistory ? await store.read(instanceId) : undefined;
    const head = stored?.head ?? (await store.readHead(instanceId));
    if (head === undefined) return problem(404, `No instance with ID '${instanceId}' was found.`);
    const json = statusOf(head, {
      showInput: !isFalse(request.query.get('showInput')),
      showHistoryOutput: isTrue(request.query.get('showHistoryOutput')),
      ...(stored === undefined ? {} : { history: stored.history }),
    });
    if (isFinished(head.status)) {
      const asError = head.status === 'Failed' && isTrue(request.query.get('returnInternalServerErrorOnFailure'));
      return { status: asError ? 500 : 200, json };
    }
    const headers = { Location: instanceLinks(hub(), instanceId).statusQueryGetUri, 'Retry-After': '5' };
    return { status: 202, headers, json };
  }

  async function selected(query: URLSearchParams): Promise<{ heads: InstanceHead[]; filter: Filter } | Reply> {
    const filter = filterSchema.safeParse(Object.fromEntries(query));
    if (!filter.success) return problem(400, z.prettifyError(filter.error));
    const heads = (await store.heads()).filter((head) => matches(head, filter.data));
    return { heads, filter: filter.data };
  }

  async function list(request: ApiRequest): Promise<Reply> {
    const found = await selected(request.query);
    if ('status' in found) return found;
    const showInput = !isFalse(request.query.get('showInput'));
    return { status: 200, json: found.heads.map((head) => statusOf(head, { showInput, showHistoryOutput: false })) };
  }

  async function purge(instanceId: string): Promise<boolean> {
    const head = await store.readHead(instanceId);
    return head !== undefined && isFinished(head.status) && (await store.remove(instanceId));
  }

  async function purgeMany(request: ApiRequest): Promise<Reply> {
    const found = await selected(request.query);
    if ('status' in found) return found;
    if (found.filter.createdTimeFrom === undefined)
      return problem(400, "Please provide value for 'createdTimeFrom' parameter.");
    let instancesDeleted = 0;
    for (const head of found.heads) if (await purge(head.instanceId)) instancesDeleted += 1;
    return instancesDeleted === 0 ? { status: 404 } : { status: 200, json: { instancesDeleted } };
  }

  async function send(instanceId: string, event: EventBody): Promise<Reply> {
    const answer = await engine.send(instanceId, event);
    return { status: { added: 202, absent: 404, finished: 410 }[answer] };
  }

  function operate(request: ApiRequest, instanceId: string, operation: string, rest: readonly string[]) {
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
      default:
        return unsupported(operation);
    }
  }

  async function route(request: ApiRequest, [collection = '', ...path]: readonly string[]): Promise<Reply> {
    const [id, operation, ...rest] = path;
    const { method } = request;
    if (collection === 'orchestrators' && id !== undefined && method === 'POST') return start(request, id, operation);
    if (collection === 'entities') {
      const scheduler = engine.entities;
      const reply = answerEntityRequest({ scheduler, store, entities }, request, path);
      return reply ?? unsupported(`${method} on entities`);
    }
    if (collection !== 'instances') return unsupported(`${method} ${collection}`);
    if (id === undefined) {
      if (method === 'GET') return list(request);
      if (method === 'DELETE') return purgeMany(request);
    } else if (operation === undefined) {
      if (method === 'GET') return status(request, id);
      if (method === 'DELETE') {
        return (await purge(id)) ? { status: 200, json: { instancesDeleted: 1 } } : { status: 404 };
      }
    } else if (method === 'POST') return operate(request, id, operation, rest);
    return unsupported(`${method} on instances`);
  }

  return {
    answer(request) {
      for (const prefix of [rpcPath, webhookPath]) {
        const parts = prefix.split('/').slice(1);
        if (parts.every((part, index) => request.segments[index]?.toLowerCase() === part)) {
          return route(request, request.segments.slice(parts.length));
        }
      }
      return undefined;
    },
  };
}

function problem(status: number, message: string): Reply {
  return { status, json: { Message: message } };
}

function unsupported(what: string): Reply {
  return problem(501, `The embedded host does not support ${what}.`);
}

function matches(head: InstanceHead, filter: Filter): boolean {
  const created = Date.parse(head.createdTime);
  return (
    (filter.createdTimeFrom === undefined || created >= filter.createdTimeFrom.getTime()) &&
    (filter.createdTimeTo === undefined || created <= filter.createdTimeTo.getTime()) &&
    (filter.runtimeStatus === undefined || filter.runtimeStatus.includes(head.status.toLowerCase())) &&
    (filter.instanceIdPrefix === undefined || head.instanceId.startsWith(filter.instanceIdPrefix))
  );
}

function isJsonOrEmpty(text: string): boolean {
  if (text === '') return true;
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function isTrue(value: string | null): boolean {
  return value?.toLowerCase() === 'true';
}

function isFalse(value: string | null): boolean {
  return value?.toLowerCase() === 'false';
}

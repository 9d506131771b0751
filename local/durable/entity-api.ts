import { randomUUID } from 'node:crypto';
import type { Reply } from '../http/reply.ts';
import { isJsonOrEmpty, problem } from './api-replies.ts';
import type { ApiRequest } from './api.ts';
import { listEntities } from './entity-list.ts';
import { memoryOf } from './entity-memory.ts';
import { entityInstanceId } from './entity-message.ts';
import type { EntityScheduler } from './entity-scheduler.ts';
import { unknownFunction } from './new-operations.ts';
import type { InstanceStore } from './store.ts';

export interface EntityApiOptions {
  readonly scheduler: Pick<EntityScheduler, 'deliver'>;
  readonly store: InstanceStore;
  /** Names of the app's entity functions. */
  readonly entities: readonly string[];
}

/**
 * `entities/{name}/{key}`: GET reads the state, POST signals the operation `?op=`, DELETE signals "delete" (EXT
 * HttpApiHandler). `entities` and `entities/{name}` list. Undefined for any other request.
 */
export function answerEntityRequest(
  { scheduler, store, entities }: EntityApiOptions,
  request: ApiRequest,
  [name, key, ...rest]: readonly string[],
): Promise<Reply> | undefined {
  if (rest.length > 0) return undefined;
  if (name === undefined || key === undefined) {
    return request.method === 'GET' ? listEntities(store, request, name) : undefined;
  }
  const instanceId = entityInstanceId({ name, key });

  async function read(): Promise<Reply> {
    const head = await store.readHead(instanceId);
    const memory = head === undefined ? undefined : memoryOf(head);
    if (memory === undefined || !memory.exists) return { status: 404 };
    const state: unknown = JSON.parse(memory.state ?? 'null');
    return { status: 200, json: state };
  }

  async function signal(op: string): Promise<Reply> {
    if (!entities.some((known) => known.toLowerCase() === name?.toLowerCase())) {
      return problem(400, unknownFunction(name ?? '', entities, 'entity'));
    }
    const input = inputOf(request);
    if (input === undefined) return problem(400, 'Could not parse JSON content.');
    const content = input === null ? {} : { input };
    await scheduler.deliver([{ target: instanceId, request: { op, signal: true, ...content, id: randomUUID() } }]);
    return { status: 202 };
  }

  if (request.method === 'GET') return read();
  if (request.method === 'POST') return signal(request.query.get('op') ?? '');
  if (request.method === 'DELETE') return signal('delete');
  return undefined;
}

/** JSON text, null for none, undefined for JSON that is none. What is not said to be JSON is a text. */
function inputOf({ body, contentType }: ApiRequest): string | null | undefined {
  if (body === '') return null;
  if (!contentType.toLowerCase().startsWith('application/json')) return JSON.stringify(body);
  return isJsonOrEmpty(body) ? body : undefined;
}

import { z } from 'zod';
import type { Reply } from '../http/reply.ts';
import { isTrue, problem } from './api-replies.ts';
import type { ApiRequest } from './api.ts';
import { memoryOf } from './entity-memory.ts';
import { parseEntityInstanceId } from './entity-message.ts';
import { BadContinuation, type HeadPage, type InstanceHead, type InstanceStore } from './store.ts';

const filterSchema = z.object({
  lastOperationTimeFrom: z.coerce.date().optional(),
  lastOperationTimeTo: z.coerce.date().optional(),
  /** EntityQuery.PageSize of the extension. */
  top: z.coerce.number().int().positive().max(1000).default(100),
});
type Filter = z.infer<typeof filterSchema>;

/**
 * A page of the entities that have a state, of one name or of all: `{entityId, lastOperationTime, state?}`, the state
 * with `?fetchState=true`. A page may be short or empty and not be the last: its token is in a header.
 */
export async function listEntities(
  store: InstanceStore,
  { query, continuation }: Pick<ApiRequest, 'query' | 'continuation'>,
  name: string | undefined,
): Promise<Reply> {
  const filter = filterSchema.safeParse(Object.fromEntries(query));
  if (!filter.success) return problem(400, z.prettifyError(filter.error));
  const idPrefix = name === undefined ? '@' : `@${name.toLowerCase()}@`;
  let page: HeadPage;
  try {
    const from = continuation === undefined ? {} : { continuation };
    page = await store.heads({ idPrefix, top: filter.data.top, ...from });
  } catch (error) {
    if (error instanceof BadContinuation) return problem(400, 'The continuation token is not one of this host.');
    throw error;
  }
  const withState = isTrue(query.get('fetchState'));
  return {
    status: 200,
    ...(page.continuation === undefined ? {} : { headers: { 'x-ms-continuation-token': page.continuation } }),
    json: page.heads.flatMap((head) => shown(head, filter.data, withState)),
  };
}

function shown(head: InstanceHead, filter: Filter, withState: boolean): object[] {
  const { exists, state } = memoryOf(head);
  const time = new Date(head.lastUpdatedTime);
  const isEarly = filter.lastOperationTimeFrom !== undefined && time < filter.lastOperationTimeFrom;
  const isLate = filter.lastOperationTimeTo !== undefined && time > filter.lastOperationTimeTo;
  if (!exists || isEarly || isLate) return [];
  const entityId = parseEntityInstanceId(head.instanceId);
  const content: unknown = JSON.parse(state ?? 'null');
  return [{ entityId, lastOperationTime: head.lastUpdatedTime, ...(withState ? { state: content } : {}) }];
}

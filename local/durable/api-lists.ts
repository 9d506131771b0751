import { z } from 'zod';
import type { Reply } from '../http/reply.ts';
import { isFalse, problem } from './api-replies.ts';
import { statusOf } from './status.ts';
import { allHeads, BadContinuation, isFinished } from './store.ts';
import type { HeadPage, HeadQuery, InstanceStore, RuntimeStatus } from './store.ts';

const statuses: readonly RuntimeStatus[] = ['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated'];
/** OrchestrationStatusQueryCondition.PageSize of the extension. */
const usualPage = 100;
const continuationHeader = 'x-ms-continuation-token';

const filterSchema = z.object({
  createdTimeFrom: z.coerce.date().optional(),
  createdTimeTo: z.coerce.date().optional(),
  instanceIdPrefix: z.string().optional(),
  top: z.coerce.number().int().positive().max(1000).default(usualPage),
});

/** The filters of a query string, as the extension names them (EXT HttpApiHandler). Statuses in any case. */
function instanceQuery(query: URLSearchParams): z.ZodSafeParseResult<HeadQuery> {
  const named = query.getAll('runtimeStatus').flatMap((list) => list.split(','));
  const wanted = new Set(named.map((status) => status.trim().toLowerCase()).filter((status) => status !== ''));
  return filterSchema
    .transform(({ createdTimeFrom, createdTimeTo, instanceIdPrefix, top }): HeadQuery => ({
      top,
      ...(wanted.size === 0 ? {} : { statuses: statuses.filter((status) => wanted.has(status.toLowerCase())) }),
      ...(createdTimeFrom === undefined ? {} : { createdFrom: createdTimeFrom.toISOString() }),
      ...(createdTimeTo === undefined ? {} : { createdTo: createdTimeTo.toISOString() }),
      ...(instanceIdPrefix === undefined ? {} : { idPrefix: instanceIdPrefix }),
    }))
    .safeParse(Object.fromEntries(query));
}

/** One page of statuses; the token of the next one is in a header, both ways. Histories are not read. */
export async function listInstances(
  store: InstanceStore,
  query: URLSearchParams,
  continuation: string | undefined,
): Promise<Reply> {
  const filter = instanceQuery(query);
  if (!filter.success) return problem(400, z.prettifyError(filter.error));
  let page: HeadPage;
  try {
    page = await store.heads({ ...filter.data, ...(continuation === undefined ? {} : { continuation }) });
  } catch (error) {
    if (error instanceof BadContinuation) return problem(400, `The ${continuationHeader} is not one of this host.`);
    throw error;
  }
  const showInput = !isFalse(query.get('showInput'));
  return {
    status: 200,
    ...(page.continuation === undefined ? {} : { headers: { [continuationHeader]: page.continuation } }),
    json: page.heads.map((head) => statusOf(head, { showInput, showHistoryOutput: false })),
  };
}

/** Removes every finished instance that the filters select. */
export async function purgeInstances(store: InstanceStore, query: URLSearchParams): Promise<Reply> {
  const filter = instanceQuery(query);
  if (!filter.success) return problem(400, z.prettifyError(filter.error));
  if (filter.data.createdFrom === undefined) {
    return problem(400, "Please provide value for 'createdTimeFrom' parameter.");
  }
  const finished = (filter.data.statuses ?? statuses).filter(isFinished);
  const { top: _page, ...whole } = filter.data;
  const ids: string[] = [];
  // All are known before the first is gone: pages of a table that shrinks might skip some.
  for await (const { instanceId } of allHeads(store, { ...whole, statuses: finished })) ids.push(instanceId);
  let instancesDeleted = 0;
  for (const instanceId of ids) if (await store.remove(instanceId)) instancesDeleted += 1;
  return instancesDeleted === 0 ? { status: 404 } : { status: 200, json: { instancesDeleted } };
}

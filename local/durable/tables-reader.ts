import { odata, type TableClient } from '@azure/data-tables';
import {
  BadContinuation,
  UnreadableInstance,
  type HeadPage,
  type HeadQuery,
  type InstanceHead,
  type StoredInstance,
} from './store.ts';
import { headKey, parseHeadRow, valueKey, type StoredHead } from './tables-head.ts';
import { MissingRow, parseInstance, withLargeTexts } from './tables-instance.ts';
import { statusCodeOf } from './tables-rows.ts';
import { partitionOf, textOf, type Row } from './tables-text.ts';

export interface TablesReader {
  /** The head as its row has it; undefined when there is none. */
  storedHead(instanceId: string): Promise<StoredHead | undefined>;
  /** The head with its long texts. */
  wholeHead(stored: StoredHead): Promise<InstanceHead>;
  instance(instanceId: string): Promise<StoredInstance | undefined>;
  heads(query: HeadQuery): Promise<HeadPage>;
}

const largestPage = 1000;
const readsOfMovingInstance = 5;

/** Reads instances out of their table; heads that cannot be understood are told and left out of pages. */
export function createTablesReader(
  client: TableClient,
  onUnreadable: (error: UnreadableInstance) => void,
): TablesReader {
  async function rows(filter: string): Promise<Row[]> {
    const found: Row[] = [];
    for await (const row of client.listEntities<Row>({ queryOptions: { filter } })) found.push(row);
    return found;
  }

  async function wholeHead(stored: StoredHead): Promise<InstanceHead> {
    const { instanceId } = stored.head;
    const partition = partitionOf(instanceId);
    const texts = new Map<string, string>();
    for (const { ref } of Object.values(stored.large)) {
      const [first, last] = [valueKey(ref, 0), `v_${ref}_~`];
      for (const row of await rows(odata`PartitionKey eq ${partition} and RowKey ge ${first} and RowKey lt ${last}`))
        texts.set(row.rowKey, textOf(row));
    }
    return withLargeTexts(stored, (rowKey) => {
      const text = texts.get(rowKey);
      if (text === undefined) throw new MissingRow(instanceId, rowKey);
      return text;
    });
  }

  /** The readable ones of a page. */
  async function readable(page: readonly Row[]): Promise<InstanceHead[]> {
    const heads: InstanceHead[] = [];
    for (const row of page) {
      try {
        heads.push(await wholeHead(parseHeadRow(row)));
      } catch (error) {
        if (!(error instanceof UnreadableInstance)) throw error;
        onUnreadable(error);
      }
    }
    return heads;
  }

  return {
    wholeHead,
    async storedHead(instanceId) {
      try {
        return parseHeadRow(await client.getEntity<Row>(partitionOf(instanceId), headKey));
      } catch (error) {
        if (statusCodeOf(error) === 404) return undefined;
        throw error;
      }
    },
    async instance(instanceId) {
      for (let attempt = 1; ; attempt++) {
        try {
          return parseInstance(await rows(odata`PartitionKey eq ${partitionOf(instanceId)}`));
        } catch (error) {
          // Pages are no snapshot: a commit between two of them looks like a missing row.
          if (!(error instanceof MissingRow) || attempt === readsOfMovingInstance) throw error;
        }
      }
    },
    async heads(query) {
      const pages = client.listEntities<Row>({ queryOptions: { filter: filterOf(query) } }).byPage({
        maxPageSize: Math.min(query.top ?? largestPage, largestPage),
        ...(query.continuation === undefined ? {} : { continuationToken: query.continuation }),
      });
      let next: Awaited<ReturnType<typeof pages.next>>;
      try {
        next = await pages.next();
      } catch (error) {
        // The SDK's tokens are JSON in base64.
        if (query.continuation !== undefined && error instanceof SyntaxError) throw new BadContinuation();
        throw error;
      }
      if (next.done === true) return { heads: [] };
      const { continuationToken } = next.value;
      const heads = await readable(next.value);
      return continuationToken === undefined ? { heads } : { heads, continuation: continuationToken };
    },
  };
}

function filterOf({ statuses, createdFrom, createdTo, idPrefix }: HeadQuery): string {
  const parts = [odata`RowKey eq ${headKey}`];
  if (statuses !== undefined) {
    const any = statuses.map((status) => odata`status eq ${status}`);
    // No status at all selects nothing.
    parts.push(any.length === 0 ? odata`status eq ${''}` : `(${any.join(' or ')})`);
  }
  if (createdFrom !== undefined) parts.push(odata`createdTime ge ${createdFrom}`);
  if (createdTo !== undefined) parts.push(odata`createdTime le ${createdTo}`);
  if (idPrefix !== undefined && idPrefix !== '') {
    parts.push(odata`instanceId ge ${idPrefix}`, odata`instanceId lt ${`${idPrefix}\uffff`}`);
  }
  return parts.join(' and ');
}

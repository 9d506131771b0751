import type { TableClient } from '@azure/data-tables';
import {
  isFinished,
  maxConsumed,
  RemovedInstance,
  requireStored,
  type EpisodeCommit,
  type InstanceHead,
  type InstanceStore,
  type UnreadableInstance,
} from './store.ts';
import {
  headKey,
  headRow,
  historyKey,
  splitHead,
  valueKey,
  type HeadPosition,
  type LargeTexts,
  type SplitHead,
  type StoredHead,
} from './tables-head.ts';
import { historyRows, isPartOf, messageKey, messageRows } from './tables-instance.ts';
import { createTablesReader } from './tables-reader.ts';
import {
  deleteRows,
  etagOf,
  fitsOneTransaction,
  replaceHead,
  rowKeys,
  statusCodeOf,
  writeRows,
} from './tables-rows.ts';
import { partitionOf, type Row } from './tables-text.ts';

export interface TablesStoreOptions {
  readonly client: TableClient;
  /** Names this host among those that have used the hub. */
  readonly owner: string;
  /** Hears of heads that cannot be read; they are left out where many are listed. */
  readonly onUnreadable: (error: UnreadableInstance) => void;
  /** Another host has written to an instance of ours. */
  readonly onOvertaken: () => void;
}

/** What the next commit of an unfinished instance builds on. */
interface Base {
  /** Whole, as it was given to the store. */
  readonly head: InstanceHead;
  readonly position: HeadPosition;
  readonly large: LargeTexts;
  readonly etag: string;
}

const triesOfCommit = 4;

/**
 * Instances in one table of Azure Tables, a partition each: the head's row `i`, rows `h_` of history, `m_` (and `n_`)
 * of messages, `v_` of long texts. A commit is one transaction; where it is too large for one, the rows are written
 * first, and the head, which says how many count, makes them visible all at once.
 *
 * The engine is the only writer of an instance. Each head is still replaced by its etag, which costs nothing, so that
 * a second host on the same hub cannot go on with an instance unnoticed.
 */
export function createTablesStore({ client, owner, onUnreadable, onOvertaken }: TablesStoreOptions): InstanceStore {
  const reader = createTablesReader(client, onUnreadable);
  const bases = new Map<string, Base>();
  /** Ids of messages that have parts beside their row. */
  const largeMessages = new Set<string>();

  async function baseOf(instanceId: string): Promise<Base> {
    const known = bases.get(instanceId);
    if (known !== undefined) return known;
    const stored = requireStored(await reader.storedHead(instanceId), instanceId);
    return { ...stored, head: await reader.wholeHead(stored) };
  }

  /** Our own write whose answer was lost lets the commit go on; another host's ends this one's work. */
  async function etagAfterConflict(instanceId: string): Promise<string> {
    const stored = requireStored(await reader.storedHead(instanceId), instanceId);
    if (stored.position.owner === owner) return stored.etag;
    onOvertaken();
    throw new Error(`Another host has gone on with the instance '${instanceId}'.`);
  }

  async function replace(base: Base, head: Row, added: readonly Row[], removed: readonly string[]): Promise<string> {
    const { instanceId } = base.head;
    let { etag } = base;
    let present = removed;
    for (let tries = 1; ; tries++) {
      try {
        return await replaceHead(client, { head, etag, added, removed: present });
      } catch (error) {
        const status = tries < triesOfCommit ? statusCodeOf(error) : undefined;
        if (status === 412) etag = await etagAfterConflict(instanceId);
        else if (status === 404) {
          // Rows that an earlier try has deleted, or the whole instance.
          const keys = new Set(await rowKeys(client, head.partitionKey));
          if (!keys.has(headKey)) throw new RemovedInstance(instanceId);
          present = present.filter((key) => keys.has(key));
        } else throw error;
      }
    }
  }

  async function removeRows(partitionKey: string, isObsolete: (rowKey: string) => boolean): Promise<void> {
    await deleteRows(client, partitionKey, (await rowKeys(client, partitionKey)).filter(isObsolete));
  }

  async function removeParts(partitionKey: string, consumed: readonly string[]): Promise<void> {
    const large = consumed.filter((messageId) => largeMessages.delete(messageId));
    if (large.length > 0) await removeRows(partitionKey, (key) => large.some((messageId) => isPartOf(messageId, key)));
  }

  /** Puts a new instance where a finished one is. False when somebody else was faster. */
  async function takePlace(finished: StoredHead, split: SplitHead, whole: InstanceHead): Promise<boolean> {
    const position: HeadPosition = { generation: finished.position.generation + 1, rows: 0, owner };
    const head = headRow(split, position);
    const { partitionKey } = head;
    const own = new Set([headKey, ...split.rows.map(({ rowKey }) => rowKey)]);
    const old = (await rowKeys(client, partitionKey)).filter((key) => !own.has(key));
    const isMessage = (key: string): boolean => key.startsWith('m_');
    try {
      // The new instance must never hear the old one's messages.
      await deleteRows(client, partitionKey, old.filter(isMessage));
      const etag = await replaceHead(client, { head, etag: finished.etag, added: [], removed: [] });
      bases.set(whole.instanceId, { head: whole, position, large: split.large, etag });
    } catch (error) {
      if (statusCodeOf(error) === 412 || statusCodeOf(error) === 404) return false;
      throw error;
    }
    await deleteRows(
      client,
      partitionKey,
      old.filter((key) => !isMessage(key)),
    );
    return true;
  }

  return {
    heads: (query = {}) => reader.heads(query),
    read: (instanceId) => reader.instance(instanceId),

    async readHead(instanceId) {
      const known = bases.get(instanceId);
      if (known !== undefined) return known.head;
      const stored = await reader.storedHead(instanceId);
      return stored && reader.wholeHead(stored);
    },

    async create(head) {
      const { instanceId } = head;
      const position: HeadPosition = { generation: 0, rows: 0, owner };
      const split = splitHead(head, position);
      const row = headRow(split, position);
      await writeRows(client, split.rows);
      for (;;) {
        try {
          const etag = etagOf(await client.createEntity(row));
          bases.set(instanceId, { head, position, large: split.large, etag });
          return {};
        } catch (error) {
          if (statusCodeOf(error) !== 409) throw error;
        }
        const existing = await reader.storedHead(instanceId);
        if (existing === undefined) continue;
        const { status, executionId } = existing.head;
        // Our own write, whose answer was lost.
        if (executionId === head.executionId) return {};
        if (isFinished(status)) {
          if (await takePlace(existing, split, head)) return {};
          continue;
        }
        await deleteRows(
          client,
          row.partitionKey,
          split.rows.map(({ rowKey }) => rowKey),
        );
        return { existing: status };
      }
    },

    async addMessage(instanceId, message) {
      const head = bases.get(instanceId)?.head ?? (await reader.storedHead(instanceId))?.head;
      if (head === undefined) return 'absent';
      if (isFinished(head.status)) return 'finished';
      const { row, parts } = messageRows(instanceId, message);
      if (parts.length > 0) largeMessages.add(message.messageId);
      await writeRows(client, parts);
      await client.upsertEntity(row, 'Replace');
      return 'added';
    },

    async commit({ head, newEvents, consumed, replacesHistory = false }: EpisodeCommit) {
      if (consumed.length > maxConsumed) throw new RangeError(`A commit consumes at most ${maxConsumed} messages.`);
      const { instanceId } = head;
      const base = await baseOf(instanceId);
      const begins = replacesHistory || base.head.executionId !== head.executionId;
      const from = begins ? 0 : base.position.rows;
      const generation = base.position.generation + (begins ? 1 : 0);
      const history = historyRows(instanceId, newEvents, generation, from);
      const position: HeadPosition = { generation, rows: from + history.length, owner };
      const split = splitHead(head, position, base);
      const row = headRow(split, position);
      const added = [...history, ...split.rows];
      const messages = consumed.map(messageKey);
      const obsolete = obsoleteRows(base, begins, split.large);
      let etag: string;
      if (fitsOneTransaction(added, 1 + messages.length + obsolete.length)) {
        etag = await replace(base, row, added, [...messages, ...obsolete]);
      } else {
        await writeRows(client, added);
        etag = await replace(base, row, [], messages);
        const keys = new Set(obsolete);
        if (keys.size > 0) await removeRows(row.partitionKey, (key) => keys.has(key));
      }
      if (isFinished(head.status)) bases.delete(instanceId);
      else bases.set(instanceId, { head, position, large: split.large, etag });
      await removeParts(row.partitionKey, consumed);
    },

    async remove(instanceId) {
      const partitionKey = partitionOf(instanceId);
      const keys = await rowKeys(client, partitionKey);
      if (!keys.includes(headKey)) return false;
      bases.delete(instanceId);
      // The head goes last: a removal that is broken off can be repeated.
      await deleteRows(client, partitionKey, [...keys.filter((key) => key !== headKey), headKey]);
      return true;
    },
  };
}

/** Keys of what a commit leaves behind: the history of an execution that is over, texts that have changed. */
function obsoleteRows({ position, large }: Base, begins: boolean, next: LargeTexts): string[] {
  const keys = begins ? Array.from({ length: position.rows }, (_, row) => historyKey(position.generation, row)) : [];
  const kept = new Set(Object.values(next).map(({ ref }) => ref));
  for (const { ref, rows } of Object.values(large)) {
    if (!kept.has(ref)) for (let row = 0; row < rows; row++) keys.push(valueKey(ref, row));
  }
  return keys;
}

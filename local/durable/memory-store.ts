import type { HistoryEvent } from './history.ts';
import {
  BadContinuation,
  isFinished,
  requireStored,
  type HeadQuery,
  type InstanceHead,
  type InstanceStore,
  type StoredMessage,
} from './store.ts';

interface Row {
  head: InstanceHead;
  history: HistoryEvent[];
  messages: StoredMessage[];
}

const largestPage = 1000;

/**
 * Instances in this process only: they are gone when it ends. Heads and events hold nothing but text and numbers and
 * are never changed after they are made, so they are shared without copies.
 */
export function createMemoryStore(): InstanceStore {
  const rows = new Map<string, Row>();
  return {
    async create(head) {
      const row = rows.get(head.instanceId);
      if (row !== undefined && !isFinished(row.head.status)) return { existing: row.head.status };
      rows.set(head.instanceId, { head, history: [], messages: [] });
      return {};
    },
    async readHead(instanceId) {
      return rows.get(instanceId)?.head;
    },
    async read(instanceId) {
      const row = rows.get(instanceId);
      return row === undefined ? undefined : { head: row.head, history: [...row.history], messages: [...row.messages] };
    },
    async addMessage(instanceId, message) {
      const row = rows.get(instanceId);
      if (row === undefined) return 'absent';
      if (isFinished(row.head.status)) return 'finished';
      row.messages = [...row.messages, message].sort((a, b) => (a.messageId < b.messageId ? -1 : 1));
      return 'added';
    },
    async commit({ head, newEvents, consumed, replacesHistory = false }) {
      const row = requireStored(rows.get(head.instanceId), head.instanceId);
      const begins = replacesHistory || row.head.executionId !== head.executionId;
      row.head = head;
      if (begins) row.history = [];
      for (const event of newEvents) row.history.push(event);
      row.messages = row.messages.filter((message) => !consumed.includes(message.messageId));
    },
    async remove(instanceId) {
      return rows.delete(instanceId);
    },
    async heads(query = {}) {
      const { top = largestPage, continuation } = query;
      const after = continuation === undefined ? undefined : continuedAt(continuation);
      const selected = Array.from(rows.values(), ({ head }) => head)
        .filter((head) => (after === undefined || head.instanceId > after) && matches(head, query))
        .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
      const heads = selected.slice(0, Math.min(top, largestPage));
      const last = heads.at(-1);
      if (last === undefined || heads.length === selected.length) return { heads };
      return { heads, continuation: JSON.stringify(last.instanceId) };
    },
  };
}

function continuedAt(continuation: string): string {
  try {
    const after: unknown = JSON.parse(continuation);
    if (typeof after === 'string') return after;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new BadContinuation();
}

function matches(head: InstanceHead, { statuses, createdFrom, createdTo, idPrefix }: HeadQuery): boolean {
  return (
    (statuses === undefined || statuses.includes(head.status)) &&
    (createdFrom === undefined || head.createdTime >= createdFrom) &&
    (createdTo === undefined || head.createdTime <= createdTo) &&
    (idPrefix === undefined || head.instanceId.startsWith(idPrefix))
  );
}

import type { EventBody, HistoryEvent, ParentInstance } from './history.ts';

export type RuntimeStatus = 'Pending' | 'Running' | 'Suspended' | 'Completed' | 'Failed' | 'Terminated';

export function isFinished(status: RuntimeStatus): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Terminated';
}

/** Everything about an instance but its history. Times are ISO with milliseconds; values are JSON text. */
export interface InstanceHead {
  readonly instanceId: string;
  /** 32 hex digits, new with every continueAsNew. */
  readonly executionId: string;
  readonly name: string;
  readonly version: string;
  readonly status: RuntimeStatus;
  readonly input: string | null;
  /** JSON text when Completed; plain text when Failed or Terminated. */
  readonly output: string | null;
  readonly customStatus: string | null;
  readonly createdTime: string;
  readonly lastUpdatedTime: string;
  readonly parent: ParentInstance | null;
}

/** An event that somebody outside was promised (202): kept until the commit that consumes it. */
export interface StoredMessage {
  readonly messageId: string;
  readonly event: EventBody;
}

export interface StoredInstance {
  readonly head: InstanceHead;
  /** Events of the head's execution, in order. */
  readonly history: readonly HistoryEvent[];
  /** Messages that no commit has consumed, in order of arrival. */
  readonly messages: readonly StoredMessage[];
}

/**
 * The result of one episode. All of it becomes visible at once or not at all. A head with another executionId than
 * the stored one starts a new, empty history.
 */
export interface EpisodeCommit {
  readonly head: InstanceHead;
  readonly newEvents: readonly HistoryEvent[];
  readonly consumed: readonly string[];
}

/** Where instances live. One writer per instance: the engine; only `create` and `addMessage` come from elsewhere. */
export interface InstanceStore {
  /**
   * Stores a new instance, in place of a finished one with its history and messages. Answers the status of an
   * unfinished instance of that id instead, and then changes nothing.
   */
  create(head: InstanceHead): Promise<{ readonly existing?: RuntimeStatus }>;
  readHead(instanceId: string): Promise<InstanceHead | undefined>;
  read(instanceId: string): Promise<StoredInstance | undefined>;
  addMessage(instanceId: string, message: StoredMessage): Promise<'added' | 'absent' | 'finished'>;
  commit(commit: EpisodeCommit): Promise<void>;
  /** False when there is no such instance. */
  remove(instanceId: string): Promise<boolean>;
  /** All heads, oldest first. */
  heads(): Promise<readonly InstanceHead[]>;
}

interface Row {
  head: InstanceHead;
  history: HistoryEvent[];
  messages: StoredMessage[];
}

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
      rows.delete(head.instanceId);
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
      row.messages.push(message);
      return 'added';
    },
    async commit({ head, newEvents, consumed }) {
      const row = rows.get(head.instanceId);
      if (row === undefined) throw new Error(`The instance '${head.instanceId}' was removed while it was running.`);
      if (row.head.executionId !== head.executionId) row.history = [];
      row.head = head;
      row.history.push(...newEvents);
      row.messages = row.messages.filter((message) => !consumed.includes(message.messageId));
    },
    async remove(instanceId) {
      return rows.delete(instanceId);
    },
    async heads() {
      return Array.from(rows.values(), (row) => row.head);
    },
  };
}

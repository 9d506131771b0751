import { randomUUID } from 'node:crypto';
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
  /** From `newMessageId`: messages are delivered in the order of their ids. */
  readonly messageId: string;
  readonly event: EventBody;
}

export interface StoredInstance {
  readonly head: InstanceHead;
  /** Events of the head's execution, in order. */
  readonly history: readonly HistoryEvent[];
  /** Messages that no commit has consumed, in the order of their ids. */
  readonly messages: readonly StoredMessage[];
}

/** The result of one episode. All of it becomes visible at once or not at all. */
export interface EpisodeCommit {
  readonly head: InstanceHead;
  /** Appended; a head with another executionId than the stored one starts a new, empty history. */
  readonly newEvents: readonly HistoryEvent[];
  /** Ids of messages that are now part of the history; at most `maxConsumed`. */
  readonly consumed: readonly string[];
  /** `newEvents` is the whole history (rewind). */
  readonly replacesHistory?: boolean;
}

/** So many deletions fit into one transaction of Azure Tables beside everything else (100 operations). */
export const maxConsumed = 80;

/** Which heads; everything absent selects all. Times are ISO with milliseconds, both ends included. */
export interface HeadQuery {
  readonly statuses?: readonly RuntimeStatus[];
  readonly createdFrom?: string;
  readonly createdTo?: string;
  readonly idPrefix?: string;
  /** Heads on a page, 1 to 1000 (the default). */
  readonly top?: number;
  /** Of the page before. */
  readonly continuation?: string;
}

export interface HeadPage {
  readonly heads: readonly InstanceHead[];
  /** Absent on the last page. A page may hold fewer heads than asked for, or none, and not be the last. */
  readonly continuation?: string;
}

/** Where instances live. One writer per instance: the engine; only `create` and `addMessage` come from elsewhere. */
export interface InstanceStore {
  /**
   * Stores a new instance, in place of a finished one with its history and messages. Answers the status of an
   * unfinished instance of that id instead, and then changes nothing.
   */
  create(head: InstanceHead): Promise<{ readonly existing?: RuntimeStatus }>;
  readHead(instanceId: string): Promise<InstanceHead | undefined>;
  /** Throws UnreadableInstance where what is stored is not what a store wrote. */
  read(instanceId: string): Promise<StoredInstance | undefined>;
  addMessage(instanceId: string, message: StoredMessage): Promise<'added' | 'absent' | 'finished'>;
  /** May be repeated when its answer was lost. Throws RemovedInstance. */
  commit(commit: EpisodeCommit): Promise<void>;
  /** False when there is no such instance. */
  remove(instanceId: string): Promise<boolean>;
  /** A page of heads in a fixed order; no histories are read. Throws BadContinuation. */
  heads(query?: HeadQuery): Promise<HeadPage>;
}

/** What is stored of an instance cannot be understood: nobody may go on from it, and nothing of it is touched. */
export class UnreadableInstance extends Error {
  constructor(instanceId: string, reason: string) {
    super(`What is stored of the instance '${instanceId}' cannot be read: ${reason}`);
  }
}

/** The continuation came from somewhere else. */
export class BadContinuation extends Error {}

/** A commit found nothing to commit to. */
export class RemovedInstance extends Error {
  constructor(instanceId: string) {
    super(`The instance '${instanceId}' was removed while it was running.`);
  }
}

/** What is stored of an instance. Throws RemovedInstance where there is nothing. */
export function requireStored<T>(stored: T | undefined, instanceId: string): T {
  if (stored === undefined) throw new RemovedInstance(instanceId);
  return stored;
}

/** All heads that a query selects, page by page. */
export async function* allHeads(store: InstanceStore, query: HeadQuery): AsyncGenerator<InstanceHead> {
  let page = await store.heads(query);
  yield* page.heads;
  while (page.continuation !== undefined) {
    page = await store.heads({ ...query, continuation: page.continuation });
    yield* page.heads;
  }
}

let lastMessageTime = 0;

/** An id that sorts after every earlier one of this process, and by the clock after those of processes before it. */
export function newMessageId(): string {
  // Microseconds, so that messages of one millisecond keep their order.
  lastMessageTime = Math.max(Date.now() * 1000, lastMessageTime + 1);
  return `${String(lastMessageTime).padStart(17, '0')}-${randomUUID()}`;
}

import { randomUUID } from 'node:crypto';
import type { HistoryEvent } from '../../local/durable/history.ts';
import { newMessageId, type InstanceHead, type StoredMessage } from '../../local/durable/store.ts';

export const Timestamp = '2026-11-21T07:00:00.000Z';

export function headOf(changes: Partial<InstanceHead> = {}): InstanceHead {
  const times = { createdTime: Timestamp, lastUpdatedTime: Timestamp };
  const texts = { input: '{"a":1}', output: null, customStatus: null };
  const instanceId = randomUUID();
  return {
    instanceId,
    executionId: 'e1',
    name: 'work',
    version: '1',
    status: 'Pending',
    ...texts,
    ...times,
    parent: null,
    ...changes,
  };
}

export const raised = (Name: string, Input: string | null = null): HistoryEvent => ({
  EventType: 15,
  Name,
  Input,
  Timestamp,
});
export const message = (name: string, Input: string | null = null): StoredMessage => ({
  messageId: newMessageId(),
  event: { EventType: 15, Name: name, Input },
});

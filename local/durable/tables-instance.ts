import { z } from 'zod';
import { parseEvent } from './event-schema.ts';
import type { HistoryEvent } from './history.ts';
import { UnreadableInstance, type InstanceHead, type StoredInstance, type StoredMessage } from './store.ts';
import { headKey, historyKey, parseHeadRow, readOrExplain, valueKey, type StoredHead } from './tables-head.ts';
import { partitionOf, rowChars, textOf, textProperties, textRows, type Row } from './tables-text.ts';

export const messageKey = (messageId: string): string => `m_${messageId}`;
const partPrefix = (messageId: string): string => `n_${messageId}_`;
/** Whether the key is of a part of that message. */
export const isPartOf = (messageId: string, rowKey: string): boolean => rowKey.startsWith(partPrefix(messageId));

const partKey = (messageId: string, part: number): string => `${partPrefix(messageId)}${String(part).padStart(4, '0')}`;

/** Events as rows: one a line, cut wherever a row is full. */
export function historyRows(
  instanceId: string,
  events: readonly HistoryEvent[],
  generation: number,
  from: number,
): Row[] {
  const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  return textRows(partitionOf(instanceId), text, (row) => historyKey(generation, from + row));
}

/** A message as its row and, before it, the parts that do not fit there. */
export function messageRows(instanceId: string, { messageId, event }: StoredMessage): { parts: Row[]; row: Row } {
  const partitionKey = partitionOf(instanceId);
  const rowKey = messageKey(messageId);
  const text = JSON.stringify(event);
  if (text.length <= rowChars) return { parts: [], row: { partitionKey, rowKey, parts: 0, ...textProperties(text) } };
  const parts = textRows(partitionKey, text, (part) => partKey(messageId, part));
  return { parts, row: { partitionKey, rowKey, parts: parts.length } };
}

/** Some of an instance's rows are not there: a commit went on while they were read, or they are lost. */
export class MissingRow extends UnreadableInstance {
  constructor(instanceId: string, rowKey: string) {
    super(instanceId, `the row ${rowKey} is missing.`);
  }
}

/** What all rows of a partition say; undefined when there is no head. Throws UnreadableInstance. */
export function parseInstance(rows: readonly Row[]): StoredInstance | undefined {
  const byKey = new Map(rows.map((row) => [row.rowKey, row]));
  const headRow = byKey.get(headKey);
  if (headRow === undefined) return undefined;
  const stored = parseHeadRow(headRow);
  const { instanceId } = stored.head;
  const textAt = (rowKey: string): string => {
    const row = byKey.get(rowKey);
    if (row === undefined) throw new MissingRow(instanceId, rowKey);
    return textOf(row);
  };
  return {
    head: withLargeTexts(stored, textAt),
    history: readOrExplain(instanceId, () => parseHistory(stored, textAt)),
    messages: rows
      .filter(({ rowKey }) => rowKey.startsWith('m_'))
      .map((row) => readOrExplain(instanceId, () => parseMessage(row, textAt))),
  };
}

/** The head with the texts that lie in rows of their own. */
export function withLargeTexts({ head, large }: StoredHead, textAt: (rowKey: string) => string): InstanceHead {
  const texts = Object.entries(large).map(([field, { ref, rows }]) => {
    const pieces = Array.from({ length: rows }, (_, row) => textAt(valueKey(ref, row)));
    return [field, pieces.join('')] as const;
  });
  return { ...head, ...Object.fromEntries(texts) };
}

function parseHistory({ position }: StoredHead, textAt: (rowKey: string) => string): HistoryEvent[] {
  let text = '';
  for (let row = 0; row < position.rows; row++) text += textAt(historyKey(position.generation, row));
  return text.split('\n').slice(0, -1).map(parseEvent);
}

const partCount = z.object({ parts: z.number().int() });

function parseMessage(row: Row, textAt: (rowKey: string) => string): StoredMessage {
  const messageId = row.rowKey.slice(messageKey('').length);
  const { parts } = partCount.parse(row);
  const pieces = Array.from({ length: parts }, (_, part) => textAt(partKey(messageId, part)));
  const text = parts === 0 ? textOf(row) : pieces.join('');
  const { Timestamp: _stamp, ...event } = parseEvent(JSON.stringify({ ...JSON.parse(text), Timestamp: '' }));
  return { messageId, event };
}

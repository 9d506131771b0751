import { z } from 'zod';
import { UnreadableInstance, type InstanceHead } from './store.ts';
import { partitionOf, textOf, textProperties, textRows, type Row } from './tables-text.ts';

/** Where a text that is too long for the head's row lies. */
const place = z.object({ ref: z.string(), rows: z.number().int() });
const fields = ['input', 'output', 'customStatus'] as const;
const largeTexts = z.partialRecord(z.enum(fields), place);
export type LargeTexts = z.infer<typeof largeTexts>;

/** What a head's row says beside the head itself. */
export interface HeadPosition {
  /** Raised whenever the history begins anew; history rows carry it in their keys. */
  readonly generation: number;
  /** So many history rows of this generation count; later ones belong to a commit that was not completed. */
  readonly rows: number;
  /** The host that wrote the row. */
  readonly owner: string;
}

export interface StoredHead {
  /** With texts that lie elsewhere left null. */
  readonly head: InstanceHead;
  readonly position: HeadPosition;
  readonly large: LargeTexts;
  readonly etag: string;
}

export const headKey = 'i';
export const historyKey = (generation: number, row: number): string =>
  `h_${String(generation).padStart(8, '0')}_${String(row).padStart(8, '0')}`;
export const valueKey = (ref: string, row: number): string => `v_${ref}_${String(row).padStart(4, '0')}`;

/** A head is written with every commit: only what is short may be part of it. */
const longestInHead = 16_000;

export interface SplitHead {
  readonly head: InstanceHead;
  readonly large: LargeTexts;
  /** Rows that must be there before the head is. */
  readonly rows: readonly Row[];
}

/** Takes the long texts out of a head. What `before` has stored already is not written again. */
export function splitHead(
  head: InstanceHead,
  { generation, rows: at }: HeadPosition,
  before?: { readonly head: InstanceHead; readonly large: LargeTexts },
): SplitHead {
  let small = head;
  let large: LargeTexts = {};
  const rows: Row[] = [];
  for (const field of fields) {
    const text = head[field];
    if (text === null || text.length <= longestInHead) continue;
    small = { ...small, [field]: null };
    const known = before?.large[field];
    if (known !== undefined && before?.head[field] === text) {
      large = { ...large, [field]: known };
      continue;
    }
    const ref = `${head.executionId}-${generation}-${at}-${field}`;
    const added = textRows(partitionOf(head.instanceId), text, (row) => valueKey(ref, row));
    large = { ...large, [field]: { ref, rows: added.length } };
    rows.push(...added);
  }
  return { head: small, large, rows };
}

/** The columns beside the packed head are there for queries. */
export function headRow({ head, large }: SplitHead, position: HeadPosition): Row {
  const { instanceId, status, createdTime } = head;
  return {
    partitionKey: partitionOf(instanceId),
    rowKey: headKey,
    ...{ instanceId, status, createdTime, ...position },
    ...textProperties(JSON.stringify({ head, large })),
  };
}

const headSchema = z.object({
  instanceId: z.string(),
  executionId: z.string(),
  name: z.string(),
  version: z.string(),
  status: z.enum(['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated']),
  input: z.string().nullable(),
  output: z.string().nullable(),
  customStatus: z.string().nullable(),
  createdTime: z.iso.datetime(),
  lastUpdatedTime: z.iso.datetime(),
  parent: z
    .object({ name: z.string(), instanceId: z.string(), executionId: z.string(), taskScheduledId: z.number().int() })
    .nullable(),
});
const rowSchema = z.object({
  etag: z.string(),
  generation: z.number().int(),
  rows: z.number().int(),
  owner: z.string(),
});
const packedSchema = z.object({ head: headSchema, large: largeTexts });

/** Throws UnreadableInstance. */
export function parseHeadRow(row: Row): StoredHead {
  const instanceId = typeof row['instanceId'] === 'string' ? row['instanceId'] : row.partitionKey;
  return readOrExplain(instanceId, () => {
    const { etag, ...position } = rowSchema.parse(row);
    return { ...packedSchema.parse(JSON.parse(textOf(row))), position, etag };
  });
}

/** Runs a reader; what it cannot make sense of becomes UnreadableInstance. */
export function readOrExplain<T>(instanceId: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof z.ZodError) throw new UnreadableInstance(instanceId, z.prettifyError(error));
    if (error instanceof SyntaxError) throw new UnreadableInstance(instanceId, error.message);
    throw error;
  }
}

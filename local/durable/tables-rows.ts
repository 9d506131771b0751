import { odata, RestError, type TableClient, type TransactionAction } from '@azure/data-tables';
import { charsOf, type Row } from './tables-text.ts';

const transactionOperations = 100;
/** 4 MiB a transaction; a character takes up to three bytes, and quotes within JSON two. */
const transactionChars = 1_000_000;

export function statusCodeOf(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}

const upsert = (row: Row): TransactionAction => ['upsert', { ...row }, 'Replace'];

/** Whether rows and so many other operations of little size can be one transaction. */
export function fitsOneTransaction(rows: readonly Row[], others: number): boolean {
  return (
    rows.length + others <= transactionOperations &&
    rows.reduce((sum, row) => sum + charsOf(row), 0) <= transactionChars
  );
}

/** Writes rows of one partition in as few transactions as they need. */
export async function writeRows(client: TableClient, rows: readonly Row[]): Promise<void> {
  let batch: Row[] = [];
  let chars = 0;
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await client.submitTransaction(batch.map(upsert));
    batch = [];
    chars = 0;
  };
  for (const row of rows) {
    const more = charsOf(row);
    if (batch.length === transactionOperations || chars + more > transactionChars) await flush();
    batch.push(row);
    chars += more;
  }
  await flush();
}

/** Writes a head over the one with that etag, adds rows and deletes others, all or nothing. Answers the new etag. */
export async function replaceHead(
  client: TableClient,
  change: {
    readonly head: Row;
    readonly etag: string;
    readonly added: readonly Row[];
    readonly removed: readonly string[];
  },
): Promise<string> {
  const { head, etag, added, removed } = change;
  const { partitionKey } = head;
  const { subResponses } = await client.submitTransaction([
    ['update', { ...head }, 'Replace', { etag }],
    ...added.map(upsert),
    ...removed.map((rowKey): TransactionAction => ['delete', { partitionKey, rowKey }]),
  ]);
  return etagOf(subResponses[0]);
}

export function etagOf(answer: { readonly etag?: string } | undefined): string {
  if (answer?.etag === undefined) throw new Error('The storage answered a write without an etag.');
  return answer.etag;
}

/** The keys of all rows of a partition. */
export async function rowKeys(client: TableClient, partitionKey: string): Promise<string[]> {
  const keys: string[] = [];
  const queryOptions = { filter: odata`PartitionKey eq ${partitionKey}`, select: ['RowKey'] };
  for await (const { rowKey } of client.listEntities<Row>({ queryOptions }))
    if (rowKey !== undefined) keys.push(rowKey);
  return keys;
}

/** Deletes rows of one partition in their order; they must be there. */
export async function deleteRows(client: TableClient, partitionKey: string, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += transactionOperations) {
    const batch = keys.slice(at, at + transactionOperations);
    await client.submitTransaction(batch.map((rowKey): TransactionAction => ['delete', { partitionKey, rowKey }]));
  }
}

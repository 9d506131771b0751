import { odata, type TableClient } from '@azure/data-tables';
import { z } from 'zod';
import { type AdapterOptions, type StorageConnection, tableClientFrom } from './connection.ts';
import { once } from './once.ts';
import type { QueryOptions, Table, TableKey, TableRow, TableValues } from './ports.ts';
import { storageCalls } from './storage-calls.ts';
import { orAbsent } from './storage-faults.ts';
import { checkEtag, checkKey, checkQuery, checkTable, checkValues } from './table-rules.ts';

/** A row as the SDK gives it. Columns of other types were written by somebody else: refused rather than lost by a replace. */
const rowSchema = z
  .object({ partitionKey: z.string(), rowKey: z.string(), etag: z.string(), timestamp: z.unknown() })
  .partial({ timestamp: true })
  .catchall(z.union([z.string(), z.number(), z.boolean(), z.bigint().transform(Number)]));

/**
 * The tables of one account. A table is created when it is first used. Every write is conditional and sent once (again only when
 * storage says that it is busy), so that a 409 or 412 always speaks of somebody else.
 */
export function azureTables(connection: StorageConnection, options: AdapterOptions = {}): (name: string) => Table {
  const { harmless, conditional } = storageCalls(options);
  return (name) => {
    checkTable(name);
    const client = tableClientFrom(connection, name, 0);
    const created = once(() =>
      harmless(`create table ${name}`, {}, (abortSignal) => client.createTable({ abortSignal })),
    );

    const writing = async (operation: string, write: (abortSignal: AbortSignal) => Promise<{ etag?: string }>) => {
      await created();
      const answer = await conditional(`${operation} ${name}`, {}, write);
      return { etag: answer.etag ?? '' };
    };

    return {
      async get(key) {
        checkKey(key);
        await created();
        const row = await orAbsent(
          harmless(`get ${name}`, {}, (abortSignal) => client.getEntity(key.partition, key.row, { abortSignal })),
        );
        return row && rowOf(row);
      },

      insert: async (key, values) => {
        const entity = entityOf(key, values);
        return writing('insert', (abortSignal) => client.createEntity(entity, { abortSignal }));
      },

      replace: async (key, values, etag) => {
        const entity = entityOf(key, values);
        checkEtag(etag);
        return writing('replace', (abortSignal) => client.updateEntity(entity, 'Replace', { etag, abortSignal }));
      },

      remove: async (key, etag) => {
        checkKey(key);
        checkEtag(etag);
        await writing('remove', async (abortSignal) => {
          await client.deleteEntity(key.partition, key.row, { etag, abortSignal });
          return {};
        });
      },

      async query(partition, options = {}) {
        const top = checkQuery(partition, options);
        await created();
        const page = await harmless(`query ${name}`, {}, (abortSignal) =>
          queryPage(client, partition, options, top, abortSignal),
        );
        return {
          rows: page.map(rowOf),
          ...(page.continuationToken && { continuation: page.continuationToken }),
        };
      },
    };
  };
}

async function queryPage(
  client: TableClient,
  partition: string,
  { from, to, continuation }: QueryOptions,
  top: number,
  abortSignal: AbortSignal,
) {
  const filter = [
    odata`PartitionKey eq ${partition}`,
    ...(from === undefined ? [] : [odata`RowKey ge ${from}`]),
    ...(to === undefined ? [] : [odata`RowKey lt ${to}`]),
  ].join(' and ');
  const pages = client.listEntities({ queryOptions: { filter }, abortSignal }).byPage({
    maxPageSize: top,
    ...(continuation !== undefined && { continuationToken: continuation }),
  });
  const page = await pages.next();
  if (page.done) throw new Error('the SDK gave no page');
  return page.value;
}

function entityOf(key: TableKey, values: TableValues) {
  checkKey(key);
  checkValues(values);
  // Without a type Azure takes 5 for an Int32 and refuses 5e9.
  const typed = (value: string | number | boolean) => (typeof value === 'number' ? { type: 'Double', value } : value);
  const columns = Object.entries(values).map(([column, value]) => [column, typed(value)] as const);
  return { ...Object.fromEntries(columns), partitionKey: key.partition, rowKey: key.row };
}

function rowOf(entity: object): TableRow {
  const known = Object.entries(entity).filter(([column]) => !column.startsWith('odata.'));
  const { partitionKey, rowKey, etag, timestamp: _timestamp, ...values } = rowSchema.parse(Object.fromEntries(known));
  return { partition: partitionKey, row: rowKey, etag, values };
}

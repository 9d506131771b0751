import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import type { Azurite } from './azurite.ts';

/** A new, empty table. */
export async function freshTable({ connectionString }: Pick<Azurite, 'connectionString'>): Promise<TableClient> {
  const name = `t${randomUUID().replaceAll('-', '')}`;
  const client = TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
  await client.createTable();
  return client;
}

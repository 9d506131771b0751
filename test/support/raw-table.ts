import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import type { Azurite } from './azurite.ts';

export type { TableClient };

/** A table of Azurite as it is, past the rules of the storage port. */
export function rawTable({ connectionString }: Azurite, name: string): TableClient {
  return TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
}

/** A new, empty one. */
export async function freshTable(azurite: Azurite): Promise<TableClient> {
  const client = rawTable(azurite, `t${randomUUID().replaceAll('-', '')}`);
  await client.createTable();
  return client;
}

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { createMemoryStore } from '../../local/durable/memory-store.ts';
import { createTablesStore } from '../../local/durable/tables-store.ts';
import { startAzurite, type Azurite } from '../support/azurite.ts';
import { freshTable } from '../support/raw-table.ts';
import { instanceStoreContract } from './instance-store.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const refuse = (): never => {
  throw new Error('nothing here is unreadable or overtaken');
};

instanceStoreContract('memory', async () => createMemoryStore());
instanceStoreContract('Azure tables on Azurite', async () =>
  createTablesStore({
    client: await freshTable(azurite),
    owner: randomUUID(),
    onUnreadable: refuse,
    onOvertaken: refuse,
  }),
);

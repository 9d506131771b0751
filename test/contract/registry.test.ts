import { afterAll, beforeAll, expect, it } from 'vitest';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { azureTables } from '../../shared/storage/azure-tables.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import { allRecords } from '../../shared/storage/registry/collection.ts';
import { resourceRegistry } from '../../shared/storage/registry/resources.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { withEmptyPages } from '../support/empty-pages.ts';
import { endpoint, registryContract } from './registry.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

registryContract('memory', async () => ({ table: memoryTables()('resources'), blobs: memoryBlobs() }));
registryContract('Azure storage on Azurite', async () => ({
  table: azureTables(azurite)('resources'),
  blobs: azureBlobs(azurite),
}));

it('reads on past pages that are empty', async () => {
  const table = memoryTables()('resources');
  const registry = resourceRegistry({ table: withEmptyPages(table), blobs: memoryBlobs() });
  await registry.endpoints.create(endpoint('abc'));
  const names: string[] = [];
  for await (const { name } of allRecords(registry.endpoints, [] as const)) names.push(name);
  expect(names).toEqual(['abc']);
});

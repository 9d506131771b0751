import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { azureTables } from '../../shared/storage/azure-tables.ts';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import type { Table } from '../../shared/storage/ports.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { tablesContract } from './tables.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

tablesContract('memory', async () => memoryTables()('contract'));
tablesContract('Azure tables on Azurite', async () => azureTables(azurite)('contract'));

describe.each<[string, () => (name: string) => Table]>([
  ['memory', memoryTables],
  ['Azure tables on Azurite', () => azureTables(azurite)],
])('several tables: %s', (_name, make) => {
  it('keeps tables apart, and finds a table again by its name', async () => {
    const tables = make();
    const { etag } = await tables('several1').insert({ partition: 'p', row: 'r' }, { n: 1 });
    expect(await tables('several2').get({ partition: 'p', row: 'r' })).toBeUndefined();
    expect(await tables('several1').get({ partition: 'p', row: 'r' })).toEqual({
      partition: 'p',
      row: 'r',
      etag,
      values: { n: 1 },
    });
  });

  it.each(['', 'a', 'with-dash', '1abc', 'x'.repeat(64)])('refuses the table name %j', (name) => {
    expect(() => make()(name)).toThrow('not a table name');
  });
});

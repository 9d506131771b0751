import { mapBounded } from '../shared/domain/map-bounded.ts';
import { tableClientFrom } from '../shared/storage/connection.ts';
import type { Table, TableValues } from '../shared/storage/ports.ts';

/** As many as one transaction holds, all of one partition. */
const MOST_OF_A_TRANSACTION = 100;
const WIDTH = 16;

export interface GatheredTable {
  readonly table: Table;
  /** Sends what was gathered; answers how many rows that were. */
  flush(): Promise<number>;
}

/** A table for filling one that is there: it takes inserts of new rows of text, and nothing else, and sends them by the hundred. */
export function gatheredTable(connectionString: string, name: string): GatheredTable {
  const client = tableClientFrom({ connectionString }, name, 3);
  const partitions = new Map<string, (TableValues & { partitionKey: string; rowKey: string })[]>();
  const refuse = (): Promise<never> => Promise.reject(new Error('this table is only for filling'));
  return {
    table: {
      get: refuse,
      replace: refuse,
      remove: refuse,
      query: refuse,
      insert({ partition, row }, values) {
        const gathered = partitions.get(partition) ?? [];
        partitions.set(partition, gathered);
        gathered.push({ ...values, partitionKey: partition, rowKey: row });
        return Promise.resolve({ etag: '' });
      },
    },
    async flush() {
      const all = [...partitions.values()];
      partitions.clear();
      const transactions = all.flatMap((rows) =>
        Array.from({ length: Math.ceil(rows.length / MOST_OF_A_TRANSACTION) }, (_, index) =>
          rows.slice(index * MOST_OF_A_TRANSACTION, (index + 1) * MOST_OF_A_TRANSACTION),
        ),
      );
      await mapBounded(transactions, WIDTH, async (rows) => {
        const [only, ...others] = rows;
        if (only && others.length === 0) await client.createEntity(only);
        else await client.submitTransaction(rows.map((row) => ['create', row]));
      });
      return all.reduce((sum, rows) => sum + rows.length, 0);
    },
  };
}

import { isConflict, StorageFault, type Table, type TableKey, type TableRow, type TableValues } from './ports.ts';

/**
 * Makes a row what `next` says of the newest one: other values, `'remove'`, or undefined to leave it. Runs again when somebody
 * else wrote in between.
 */
export async function changeRow(
  table: Table,
  key: TableKey,
  next: (row: TableRow | undefined) => Promise<TableValues | 'remove' | undefined>,
): Promise<void> {
  for (;;) {
    const row = await table.get(key);
    const values = await next(row);
    if (values === undefined) return;
    try {
      if (values === 'remove') {
        if (row) await table.remove(key, row.etag);
      } else if (row) await table.replace(key, values, row.etag);
      else await table.insert(key, values);
      return;
    } catch (error) {
      const gone = error instanceof StorageFault && error.status === 404;
      if (!isConflict(error) && !gone) throw error;
    }
  }
}

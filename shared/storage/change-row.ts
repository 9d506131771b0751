import { isConflict, StorageFault, type Table, type TableKey, type TableRow, type TableValues } from './ports.ts';
import type { RecentRows } from './recent-rows.ts';

/**
 * Makes a row what `next` says of the newest one: other values, `'remove'`, or undefined to leave it. Runs again when somebody
 * else wrote in between. With `recent` the first try is made on the row that was seen last, which saves reading it.
 */
export async function changeRow(
  table: Table,
  key: TableKey,
  next: (row: TableRow | undefined) => Promise<TableValues | 'remove' | undefined>,
  recent?: RecentRows,
): Promise<void> {
  for (let seen = recent?.of(key); ; seen = undefined) {
    const row = seen ?? (await table.get(key));
    const values = await next(row);
    if (values === undefined) {
      // An old row may be left as it is where the newest one may not.
      if (seen) continue;
      if (row) recent?.note(row);
      return;
    }
    try {
      if (values === 'remove') {
        if (row) await table.remove(key, row.etag);
        recent?.forget(key);
        return;
      }
      const { etag } = row ? await table.replace(key, values, row.etag) : await table.insert(key, values);
      recent?.note({ ...key, values, etag });
      return;
    } catch (error) {
      const gone = error instanceof StorageFault && error.status === 404;
      if (!isConflict(error) && !gone) throw error;
    }
  }
}

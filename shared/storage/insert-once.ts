import { isConflict, type Table, type TableKey, type TableValues } from './ports.ts';
import type { RecentRows } from './recent-rows.ts';

/** True when this call inserted the row, false when it was there. */
export async function insertOnce(
  table: Pick<Table, 'insert'>,
  key: TableKey,
  values: TableValues,
  recent?: RecentRows,
): Promise<boolean> {
  try {
    const { etag } = await table.insert(key, values);
    recent?.note({ ...key, values, etag });
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

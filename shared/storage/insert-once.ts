import { isConflict, type Table, type TableKey, type TableValues } from './ports.ts';

/** True when this call inserted the row, false when it was there. */
export async function insertOnce(table: Pick<Table, 'insert'>, key: TableKey, values: TableValues): Promise<boolean> {
  try {
    await table.insert(key, values);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

import { isConflict, type Table, type TableKey, type TableValues } from './ports.ts';

/** Inserts a row if it is absent. True when this call inserted it. */
export async function insertOnce(table: Table, key: TableKey, values: TableValues): Promise<boolean> {
  try {
    await table.insert(key, values);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

import { isConflict, StorageFault, type Table, type TableKey } from './ports.ts';

/** Removes a row that is never replaced, whoever else removes it. */
export async function removeIfThere(table: Pick<Table, 'get' | 'remove'>, key: TableKey): Promise<void> {
  const row = await table.get(key);
  if (!row) return;
  try {
    await table.remove(key, row.etag);
  } catch (error) {
    if (!isConflict(error) && !(error instanceof StorageFault && error.status === 404)) throw error;
  }
}

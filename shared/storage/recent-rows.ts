import { keepNewest } from '../domain/keep-newest.ts';
import type { TableKey, TableRow } from './ports.ts';

/** Rows as this process saw them last. They may be old by now: only a conditional write proves that one is not. */
export interface RecentRows {
  of(key: TableKey): TableRow | undefined;
  note(row: TableRow): void;
  /** It was removed. */
  forget(key: TableKey): void;
}

/** Remembers the newest `limit` rows. */
export function recentRows(limit: number): RecentRows {
  const rows = new Map<string, TableRow>();
  const nameOf = ({ partition, row }: TableKey): string => `${partition}\n${row}`;
  return {
    of: (key) => rows.get(nameOf(key)),
    note(row) {
      keepNewest(rows, nameOf(row), row, limit);
    },
    forget: (key) => void rows.delete(nameOf(key)),
  };
}

import type { Table } from '../../shared/storage/ports.ts';

const EMPTY = 'empty:';

/**
 * A table that answers as Azure may and Azurite never does: before every page comes an empty one with a continuation, and the
 * last full page is followed by one more empty page.
 */
export function withEmptyPages(table: Table): Table {
  return {
    ...table,
    async query(partition, { continuation, ...options } = {}) {
      if (!continuation?.startsWith(EMPTY)) return { rows: [], continuation: `${EMPTY}${continuation ?? ''}` };
      const rest = continuation.slice(EMPTY.length);
      if (rest === 'end') return { rows: [] };
      const page = await table.query(partition, { ...options, ...(rest && { continuation: rest }) });
      return { rows: page.rows, continuation: page.continuation ?? `${EMPTY}end` };
    },
  };
}

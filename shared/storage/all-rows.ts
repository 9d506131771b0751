import type { QueryOptions, Table, TableRow } from './ports.ts';

/** All rows of a partition in row key order, page after page. An empty page ends nothing: only the lack of a continuation does. */
export async function* allRows(
  table: Pick<Table, 'query'>,
  partition: string,
  options: Omit<QueryOptions, 'continuation'> = {},
): AsyncGenerator<TableRow, void, undefined> {
  let continuation: string | undefined;
  do {
    const page = await table.query(partition, { ...options, ...(continuation !== undefined && { continuation }) });
    yield* page.rows;
    continuation = page.continuation;
  } while (continuation !== undefined);
}

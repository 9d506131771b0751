import type { QueryOptions, TableKey, TableValues } from './ports.ts';

const UNSAFE_IN_KEY = /[/\\#?\u0000-\u001f\u007f-\u009f]/;
const COLUMN = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
const TABLE = /^[A-Za-z][A-Za-z0-9]{2,62}$/;
const RESERVED_COLUMNS: readonly string[] = ['partitionkey', 'rowkey', 'timestamp', 'etag'];
const MAX_KEY_LENGTH = 512;
const MAX_TEXT_LENGTH = 32 * 1024;

/** Rows that storage gives in one page at most. */
export const MAX_PAGE = 1000;

/** Throws on a table name that storage refuses. */
export function checkTable(name: string): void {
  if (!TABLE.test(name)) throw new Error(`not a table name: ${JSON.stringify(name)}`);
}

/** Throws on a key that storage refuses. A programming fault: keys are checked names or hashes, never free text. */
export function checkKey({ partition, row }: TableKey): void {
  checkKeyPart('partition', partition);
  checkKeyPart('row', row);
}

/** Throws on an ETag that matches every version: the SDK takes a missing one for `*`, which wins over everybody. */
export function checkEtag(etag: string): void {
  if (etag === '' || etag === '*') throw new Error('a table write needs the ETag of the row that was read');
}

/** Throws on a query that storage would misread; answers the page size to ask for. */
export function checkQuery(partition: string, { limit = MAX_PAGE }: QueryOptions): number {
  checkKeyPart('partition', partition);
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new RangeError(`limit must be a positive whole number: ${limit}`);
  return Math.min(limit, MAX_PAGE);
}

/** Throws on values that storage refuses or that would come back as something else. */
export function checkValues(values: TableValues): void {
  for (const [column, value] of Object.entries(values)) {
    if (!COLUMN.test(column) || RESERVED_COLUMNS.includes(column.toLowerCase())) {
      throw new Error(`not a column name: ${JSON.stringify(column)}`);
    }
    if (typeof value === 'string' && value.length >= MAX_TEXT_LENGTH) {
      throw new Error(`column ${column} holds ${value.length} characters; a row is for less than ${MAX_TEXT_LENGTH}`);
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new Error(`column ${column} must be a finite number: ${value}`);
    }
  }
}

function checkKeyPart(part: string, key: string): void {
  if (key === '' || key.length > MAX_KEY_LENGTH || UNSAFE_IN_KEY.test(key)) {
    throw new Error(`not a ${part} key: ${JSON.stringify(key.slice(0, 80))}`);
  }
}

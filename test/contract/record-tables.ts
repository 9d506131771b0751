import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';

export type ColumnType = 'float32' | 'float64' | 'int64' | 'int32' | 'bool' | 'string';

/** A cell as data: null is missing, bytes are text as it lies in the file, a string in a column of numbers is text there. */
export type Cell = number | bigint | boolean | string | Uint8Array | null;

export interface Table {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly records: readonly (readonly Cell[])[];
}

export interface WrittenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const bytesOf = (text: string | Uint8Array): Uint8Array => (typeof text === 'string' ? Buffer.from(text) : text);
const lines = (all: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat(all.flatMap((line) => [line, Buffer.from('\n')]));
const between = (cells: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat(cells.flatMap((cell, index) => (index === 0 ? [cell] : [Buffer.from(','), cell])));

const textOf = (cell: number | bigint | boolean | string): string => (Object.is(cell, -0) ? '-0' : String(cell));

function csvCell(cell: Cell): Uint8Array {
  if (cell === null) return Buffer.from('');
  if (cell instanceof Uint8Array) return Buffer.concat([Buffer.from('"'), cell, Buffer.from('"')]);
  const text = textOf(cell);
  return Buffer.from(/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
}

function jsonCell(cell: Cell): Uint8Array {
  if (cell instanceof Uint8Array) return Buffer.concat([Buffer.from('"'), cell, Buffer.from('"')]);
  return Buffer.from(typeof cell === 'bigint' || typeof cell === 'number' ? textOf(cell) : JSON.stringify(cell));
}

export function asCsv({ columns, records }: Table): WrittenFile {
  const header = between(columns.map(({ name }) => csvCell(name)));
  return { name: 'table.csv', bytes: lines([header, ...records.map((record) => between(record.map(csvCell)))]) };
}

/** Objects: their keys in another order in every other record, and a missing value now as null, now as no key. */
export function asObjects({ columns, records }: Table): WrittenFile {
  const written = records.map((record, row) => {
    const pairs = record.flatMap((cell, index) =>
      cell === null && row % 2 === 1
        ? []
        : [between([Buffer.from(`${JSON.stringify(columns[index]?.name)}:`)]), jsonCell(cell)],
    );
    const joined: Uint8Array[] = [];
    for (let at = 0; at < pairs.length; at += 2) joined.push(Buffer.concat(pairs.slice(at, at + 2)));
    return Buffer.concat([Buffer.from('{'), between([...joined, Buffer.from('"other":{"a":[1]}')]), Buffer.from('}')]);
  });
  return { name: 'table.jsonl', bytes: lines(written) };
}

export function asArrays({ records }: Table): WrittenFile {
  const written = records.map((record) =>
    Buffer.concat([Buffer.from('['), between(record.map(jsonCell)), Buffer.from(' ]')]),
  );
  return { name: 'table.ndjson', bytes: lines(written) };
}

const PARQUET_TYPES = {
  float32: 'DOUBLE',
  float64: 'DOUBLE',
  int64: 'INT64',
  int32: 'INT32',
  bool: 'BOOLEAN',
  string: 'BYTE_ARRAY',
} as const;

/** `rowGroupSize` records a row group; a column that holds a text is one of texts, whatever the model takes. */
export function asParquet({ columns, records }: Table, rowGroupSize = 1000): WrittenFile {
  const columnData = columns.map(({ name, type }, index) => {
    const cells = records.map((record) => record[index] ?? null);
    const texts = type === 'string' || cells.some((cell) => typeof cell === 'string' || cell instanceof Uint8Array);
    if (!texts) {
      const data = type === 'int64' ? cells.map((cell) => (typeof cell === 'number' ? BigInt(cell) : cell)) : cells;
      return { name, data, type: PARQUET_TYPES[type] };
    }
    const data = cells.map((cell) =>
      cell === null ? null : bytesOf(cell instanceof Uint8Array ? cell : String(cell)),
    );
    return { name, data, type: 'BYTE_ARRAY' as const };
  });
  return { name: 'table.parquet', bytes: new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize })) };
}

export const packed = ({ name, bytes }: WrittenFile): WrittenFile => ({ name: `${name}.gz`, bytes: gzipSync(bytes) });

import { describe, expect, test } from 'vitest';
import { readRecords, type HowToRead } from '../support/read-records.ts';
import type { Cell, ColumnType, Table, WrittenFile } from './record-tables.ts';

const EVERYTHING: Table = {
  columns: [
    { name: 'f', type: 'float32' },
    { name: 'd', type: 'float64' },
    { name: 'l', type: 'int64' },
    { name: 'i', type: 'int32' },
    { name: 'b', type: 'bool' },
    { name: 's, "quoted"', type: 'string' },
  ],
  records: [
    [0.1, 0.12345678901234567, 9223372036854775807n, 2147483647, true, 'plain'],
    [-1.5, 1e300, -9007199254740993n, -2147483648, false, 'a "b",\nc\r\nd'],
    [1e-7, -5e-324, 3_000_000_000n, 0, true, 'Grün 日本 😀'],
    [16777217, 123456789012345680, 7n, -1, false, '\\ / \t \u0001'],
    [-0, 4.35, 0n, 5, true, ''],
    [3.4028234663852886e38, 0.3, -1n, 999999999, false, '[{"not": nested}]'],
  ],
};

const wanted = (type: ColumnType, cell: Cell): unknown => {
  if (type === 'bool') return cell === true ? 1 : 0;
  if (type === 'float32') return Math.fround(Number(cell));
  return cell;
};
const expected = ({ columns, records }: Table) =>
  records.map((record, row) => ({ row, values: columns.map(({ type }, i) => wanted(type, record[i] ?? null)) }));

/** What every format must do: the same table is the same records and the same failures. `write` makes a file of a table. */
export function readersContract(format: string, write: (table: Table) => WrittenFile): void {
  describe(`records: ${format}`, () => {
    async function readTable(table: Table, how: Partial<HowToRead> = {}) {
      const { name, bytes } = write(table);
      const header = !name.includes('ndjson');
      const read = await readRecords(name, bytes, { columns: table.columns, header, ...how });
      return { ...read, failures: read.failures.map(({ row, code, reason }) => [row, code, reason]) };
    }

    test.each([1, 7, 65536])('values of every type come through exactly, in chunks of %d bytes', async (chunk) => {
      const { records, failures, source } = await readTable(EVERYTHING, { chunk });
      expect({ records, failures }).toEqual({ records: expected(EVERYTHING), failures: [] });
      expect(source.closed).toBe(true);
    });

    test('one record, and none', async () => {
      const one = { ...EVERYTHING, records: EVERYTHING.records.slice(0, 1) };
      expect((await readTable(one)).records).toEqual(expected(one));
      const none = { ...EVERYTHING, records: [] };
      expect(await readTable(none)).toMatchObject({ records: [], failures: [] });
    });

    test.each([1, 3, 4096])('many records, in batches of %d', async (capacity) => {
      const table: Table = {
        columns: [
          { name: 'x', type: 'float64' },
          { name: 't', type: 'string' },
        ],
        records: Array.from({ length: 5000 }, (_, row) => [row / 7, `text ${row}`]),
      };
      const { records, failures, batches } = await readTable(table, { capacity });
      expect({ records, failures }).toEqual({ records: expected(table), failures: [] });
      expect(batches).toBeGreaterThanOrEqual(Math.ceil(5000 / capacity));
    });

    test('missing values fail their records, but in columns of texts', async () => {
      const gaps: Cell[][] = EVERYTHING.columns.map((_, gap) =>
        (EVERYTHING.records[0] ?? []).map((cell, index) => (index === gap ? null : cell)),
      );
      const { records, failures } = await readTable({ ...EVERYTHING, records: gaps });
      const names = ['f', 'd', 'l', 'i', 'b'];
      expect(failures).toEqual(names.map((name, row) => [row, 'MissingValue', `Column '${name}' has no value.`]));
      expect(records).toEqual([{ row: 5, values: [...(expected(EVERYTHING)[0]?.values.slice(0, 5) ?? []), ''] }]);
    });

    test('missing values are NaN for a model that takes it', async () => {
      const table: Table = { columns: [{ name: 'x', type: 'float32' }], records: [[null], [1], [null]] };
      const { records, failures } = await readTable(
        {
          ...table,
          columns: [...table.columns, { name: 'y', type: 'int32' }],
          records: [
            [null, 1],
            [1, 2],
            [null, 3],
          ],
        },
        { missing: 'nan' },
      );
      expect({ records, failures }).toEqual({
        records: [
          { row: 0, values: [NaN, 1] },
          { row: 1, values: [1, 2] },
          { row: 2, values: [NaN, 3] },
        ],
        failures: [],
      });
    });

    test('what is not of its column’s type fails alone, with the same words', async () => {
      const table: Table = {
        columns: [
          { name: 'f', type: 'float32' },
          { name: 'i', type: 'int32' },
          { name: 'b', type: 'bool' },
          { name: 's', type: 'string' },
        ],
        records: [
          ['1', '2', 'true', 'ok'],
          ['x1', '2', 'true', 'ok'],
          ['1', '2.5', 'true', 'ok'],
          ['1', '3000000000', 'true', 'ok'],
          ['1', '2', 'maybe', 'ok'],
          ['1', '2', 'true', Uint8Array.of(0x61, 0xff)],
          ['NA', '2', 'true', 'ok'],
          [' 1e2 ', '5.0', '0', 'ok'],
        ],
      };
      const { records, failures } = await readTable(table);
      expect(records).toEqual([
        { row: 0, values: [1, 2, 1, 'ok'] },
        { row: 7, values: [100, 5, 0, 'ok'] },
      ]);
      expect(failures).toEqual([
        [1, 'NotANumber', "Column 'f' has 'x1', expected a number."],
        [2, 'NotAnInteger', "Column 'i' has '2.5', expected a whole number."],
        [3, 'NotAnInteger', "Column 'i' has '3000000000', which does not fit in 32 bits."],
        [4, 'NotABoolean', "Column 'b' has 'maybe', expected true or false."],
        [5, 'NotUtf8', "Column 's' is not UTF-8 text."],
        [6, 'MissingValue', "Column 'f' has no value."],
      ]);
    });

    test('a large integer of a record that failed is not left for the next one', async () => {
      const table: Table = {
        columns: [
          { name: 'l', type: 'int64' },
          { name: 's', type: 'float64' },
        ],
        records: [
          [9007199254740993n, null],
          [3_000_000_000n, 1],
        ],
      };
      expect((await readTable(table)).records).toEqual([{ row: 1, values: [3_000_000_000n, 1] }]);
    });
  });
}

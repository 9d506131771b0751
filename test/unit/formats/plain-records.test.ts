import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellsOf, decimal, readCsv, type Setup } from './read-csv.ts';

/** Columns of float32 that make a whole matrix are read in WebAssembly; a place that stays free keeps others from it. */
const fast: Setup = { kind: decimal, narrow: true };
const slow: Setup = { ...fast, gap: 1 };

const digits = (most: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9]{0,${most}}$`));
const plain = fc
  .tuple(fc.constantFrom('', '-'), digits(10), fc.constantFrom('', '.'), digits(12))
  .map((parts) => parts.join(''));
const shortest = fc.oneof(fc.float({ noNaN: true }), fc.double({ noNaN: true })).map(String);
/** Halfway between two float32s, and next to it. */
const halfway = fc
  .tuple(fc.integer({ min: 2 ** 23, max: 2 ** 24 }), fc.constantFrom('4999999999', '5', '5000000000', '50000000001'))
  .map(([whole, part]) => `${whole}.${part}`);
const odd = fc.constantFrom(
  '',
  '-',
  '.',
  '--1',
  '1.2.3',
  '+1',
  ' 1',
  '1e3',
  'nan',
  '"1"',
  '"1,2"',
  'x',
  '1\r',
  '٣',
  '1_0',
);
const cell = fc.oneof(
  { weight: 8, arbitrary: plain },
  { weight: 8, arbitrary: shortest },
  { weight: 4, arbitrary: halfway },
  { weight: 1, arbitrary: odd },
);
const lineEnd = fc.constantFrom('\n', '\r\n', '\n\n', '\r');

const file = fc.integer({ min: 1, max: 5 }).chain((width) =>
  fc.record({
    width: fc.constant(width),
    records: fc.array(
      fc.tuple(
        fc.oneof(
          { weight: 20, arbitrary: fc.array(cell, { minLength: width, maxLength: width }) },
          { weight: 1, arbitrary: fc.array(cell, { minLength: 1, maxLength: 7 }) },
        ),
        fc.oneof({ weight: 10, arbitrary: fc.constant('\n') }, { weight: 1, arbitrary: lineEnd }),
      ),
      { maxLength: 30 },
    ),
    chunk: fc.integer({ min: 1, max: 200 }),
    capacity: fc.integer({ min: 1, max: 40 }),
    delimiter: fc.constantFrom(',', ';', '\t'),
    cutOff: fc.nat(3),
  }),
);

/** A number that one of the two leaves to the target as its text is the float32 that the target makes of it. */
function outcome(content: string, setup: Setup): unknown {
  try {
    const { records, faults } = readCsv(content, setup);
    return { faults, records: records.map((record) => ({ ...record, cells: record.cells.map(asNumber) })) };
  } catch (error) {
    return error;
  }
}

const asNumber = (cell: string | number): string | number =>
  typeof cell === 'string' && /^-?(\d+\.?\d*|\.\d+)$/.test(cell) ? Math.fround(Number(cell)) : cell;

test('records in a matrix are read as others are, whatever is in them and wherever they are cut', () => {
  fc.assert(
    fc.property(file, ({ records, cutOff, ...given }) => {
      const text = records.map(([cells, end]) => cells.join(given.delimiter) + end).join('');
      const content = text.slice(0, text.length - cutOff);
      expect(outcome(content, { ...fast, ...given })).toEqual(outcome(content, { ...slow, ...given }));
    }),
    { numRuns: 400 },
  );
});

test('a file of many windows and batches is read whole', () => {
  const rows = Array.from({ length: 20_000 }, (_, row) => [row, (row + 1) / -8, row % 7 === 0 ? 0.5 : row * 1000.25]);
  const content = `a,b,c\n${rows.map((cells) => cells.join(',')).join('\n')}\n`;
  const read = readCsv(content, { ...fast, header: true, capacity: 4096, chunk: 50_000 });
  expect(read.faults).toEqual([]);
  expect(cellsOf(read)).toEqual(rows.map((cells) => cells.map(Math.fround)));
  expect(read.records.map(({ row, line }) => [row, line])).toEqual(rows.map((_, row) => [row, row + 2]));
  const starts = rows.reduce((all, cells) => [...all.slice(-1), (all.at(-1) ?? 0) + cells.join(',').length + 1], [6]);
  expect(read.records.at(-1)?.offset).toBe(starts[0]);
});

test('a record that is cut off where the window ends is read once it has moved to its beginning', () => {
  const last = '1111111,2222222';
  const before = Array.from({ length: (64 * 1024 - last.length) / 4 }, () => '3,4\n').join('');
  const padding = '5'.repeat(64 * 1024 - before.length - last.length);
  const read = readCsv(`${padding}${before}${last}`, { ...fast, width: 2, capacity: 100_000 });
  expect(cellsOf(read).at(-1)?.map(Number)).toEqual([1111111, 2222222]);
  expect(read.records.length).toBe(before.length / 4 + 1);
});

test('columns go to their places, whatever their order in the file', () => {
  const placeOf = (column: number): number => [2, 0, 3, 1][column] ?? 0;
  const content = '1,2,3,4\n5,6,7,8\n-9,10.5,0.25,1\n';
  expect(cellsOf(readCsv(content, { ...fast, width: 4, placeOf }))).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [-9, 10.5, 0.25, 1],
  ]);
});

test('the sign of zero is kept', () => {
  expect(cellsOf(readCsv('-0,0,-0.0\n', { ...fast, width: 3 }))).toEqual([[-0, 0, -0]]);
});

test('two files that are read in turns do not get into each other', () => {
  const content = (sign: string): string =>
    Array.from({ length: 9 }, (_, row) => `${sign}${row},${sign}1.5\n`).join('');
  const inner: unknown[] = [];
  const outer = readCsv(content(''), {
    ...fast,
    width: 2,
    capacity: 2,
    chunk: 10,
    placeOf: (column) => {
      // Whenever the first file's cells are looked at, the second one is read from its beginning.
      inner.push(cellsOf(readCsv(content('-'), { ...fast, width: 2, capacity: 3 })));
      return column;
    },
  });
  const rows = Array.from({ length: 9 }, (_, row) => [row, 1.5]);
  expect(cellsOf(outer)).toEqual(rows);
  expect(inner.length).toBeGreaterThan(9);
  expect(inner.at(-1)).toEqual(rows.map(([row = 0, other = 0]) => [-row, -other]));
});

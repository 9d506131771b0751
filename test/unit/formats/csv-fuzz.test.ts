import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { CellKind } from '../../../shared/formats/record-target.ts';
import { cellsOf, readCsv, type Read } from './read-csv.ts';

const asNumber = (text: string | number): string | number =>
  typeof text === 'string' && text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
const numbersOf = (records: readonly (readonly (string | number)[])[]) => records.map((record) => record.map(asNumber));

/** Random CSV, as valid as csv-parse wants it: an unquoted cell does not begin with a quote. */
function generator(seed: number) {
  let state = seed;
  const next = (below: number) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) % below;
  const pick = (choices: readonly string[]) => choices[next(choices.length)] as string;
  const many = (count: number, choices: readonly string[]) =>
    Array.from({ length: count }, () => pick(choices)).join('');

  function cell(delimiter: string): string {
    const length = next(60) === 0 ? next(500) : next(5);
    switch (next(4)) {
      case 0:
        return `"${many(length, ['a', '""', delimiter, '\n', '\r\n', 'é', '1'])}"`;
      case 1:
        return `"${pick(['', '1', '-2.5', '1e3'])}"`;
      case 2:
        return pick([
          '',
          '1',
          '-2.5',
          '0.001',
          '1e3',
          '12345678901234567890',
          '0.12345678901234567',
          'nan',
          '.5',
          '7.',
          '-',
        ]);
      default:
        return many(length, ['a', 'b', ' ', 'é', 'x"', '😀']);
    }
  }
  function file() {
    const delimiter = pick([',', ';', '\t', '|', ':']);
    const ends = next(3) === 0 ? ['\n', '\r\n'] : [pick(['\n', '\r\n'])];
    const width = 1 + next(4);
    const record = () => Array.from({ length: width }, () => cell(delimiter)).join(delimiter);
    let content = next(8) === 0 ? '\uFEFF' : '';
    const lines = next(8);
    for (let line = 0; line < lines; line++) {
      content += next(10) === 0 ? '' : record();
      if (line + 1 < lines || next(2) === 0) content += pick(ends);
    }
    return { content, delimiter, width };
  }
  return { next, file };
}

function expectedOf(content: string, delimiter: string): string[][] {
  return parse(content, {
    delimiter,
    bom: true,
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    record_delimiter: ['\n', '\r\n'],
  });
}

test('random files are read as csv-parse reads them, with and without header, as texts and as numbers', () => {
  const { next, file } = generator(4711);
  let records = 0;
  for (let i = 0; i < 3000; i++) {
    const { content, delimiter, width } = file();
    const header = next(2) === 0;
    const numeric = next(2) === 0;
    const all = expectedOf(content, delimiter);
    const wanted = { header: header ? all[0] : undefined, cells: numbersOf(header ? all.slice(1) : all), faults: [] };
    records += wanted.cells.length;
    for (const chunk of [1 + next(7), 1000]) {
      const kind = () => (numeric ? CellKind.Decimal : CellKind.Text);
      const result: Read = readCsv(content, { delimiter, header, width, chunk, capacity: 1 + next(3), kind });
      const read = { header: result.header, cells: numbersOf(cellsOf(result)), faults: result.faults };
      expect({ content, delimiter, ...read }).toEqual({ content, delimiter, ...wanted });
    }
  }
  expect(records).toBeGreaterThan(5000);
});

test('a file is read alike wherever it is cut in two, with every record at its offset', () => {
  const { file } = generator(99);
  for (let i = 0; i < 60; i++) {
    const { content, delimiter, width } = file();
    const bytes = Buffer.from(content);
    const whole = readCsv(bytes, { delimiter, width });
    expect(numbersOf(cellsOf(whole))).toEqual(numbersOf(expectedOf(content, delimiter)));
    for (let cut = 1; cut < bytes.length; cut++)
      expect(readCsv(bytes, { delimiter, width, cuts: [cut] })).toEqual(whole);
    for (const { offset, cells } of whole.records) {
      const [first] = expectedOf(bytes.toString('utf8', offset), delimiter);
      expect(first).toEqual(cells);
    }
  }
});

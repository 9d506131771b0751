import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import {
  headerLine,
  recordEncoder,
  type PredictionColumns,
  type RecordFormat,
} from '../../../shared/formats/csv-encoder.ts';

function encode(
  format: RecordFormat,
  predictions: readonly PredictionColumns[],
  rows: number[],
  file = 'f.csv',
): string {
  return Buffer.from(recordEncoder(file, format).encode(rows, rows.length, predictions)).toString();
}

describe('headerLine', () => {
  test.each<[RecordFormat, string]>([
    ['csv', 'file,row,label,"p,0","say ""x"""\n'],
    ['azureml', ''],
  ])('%s', (format, line) => {
    expect(headerLine(['label', 'p,0', 'say "x"'], format)).toBe(line);
  });

  test('without file and row', () => {
    expect(headerLine(['label', 'p,0'], 'csv', false)).toBe('label,"p,0"\n');
    expect(headerLine([], 'csv', false)).toBe('');
  });
});

describe('recordEncoder', () => {
  test('writes file, row and the cells of every output', () => {
    const predictions = [
      { width: 1, data: BigInt64Array.of(7n, -9223372036854775808n) },
      { width: 2, data: Float32Array.of(0.96, 0.04, NaN, -Infinity) },
      { width: 1, data: Float64Array.of(0.1, 1e300) },
      { width: 1, data: BigUint64Array.of(1n, 18446744073709551615n) },
      { width: 1, data: ['plain', 'a "b",\nc'] },
      { width: 1, data: [true, false] },
      { width: 1, data: Int32Array.of(-5, 2147483647) },
    ];
    expect(encode('csv', predictions, [0, 12345678901])).toBe(
      'f.csv,0,7,0.96,0.04,0.1,1,plain,true,-5\n' +
        'f.csv,12345678901,-9223372036854775808,nan,-inf,1e+300,18446744073709551615,"a ""b"",\nc",false,2147483647\n',
    );
  });

  test('no records are no bytes', () => {
    expect(encode('csv', [{ width: 1, data: new Float32Array(0) }], [])).toBe('');
  });

  test('quotes a file name and texts where the format needs it, in UTF-8', () => {
    const predictions = [{ width: 1, data: ['x y', '', 'a,b', 'Grün'] }];
    expect(encode('csv', predictions, [0, 1, 2, 3], 'in, ü/日本.csv')).toBe(
      '"in, ü/日本.csv",0,x y\n"in, ü/日本.csv",1,\n"in, ü/日本.csv",2,"a,b"\n"in, ü/日本.csv",3,Grün\n',
    );
    expect(encode('azureml', predictions, [0, 1, 2, 3], 'in.csv')).toBe(
      'in.csv 0 "x y"\nin.csv 1 ""\nin.csv 2 a,b\nin.csv 3 Grün\n',
    );
  });

  test('texts far longer than guessed are whole, also after a batch of short ones', () => {
    const encoder = recordEncoder('f', 'csv');
    const long = 'é'.repeat(10_000);
    const short = encoder.encode([0, 1], 2, [{ width: 1, data: ['a', 'b'] }]);
    const longer = encoder.encode([2, 3, 4], 3, [{ width: 2, data: [long, 'x', 'y', long, long, long] }]);
    expect(Buffer.concat([short, longer]).toString()).toBe(
      `f,0,a\nf,1,b\nf,2,${long},x\nf,3,y,${long}\nf,4,${long},${long}\n`,
    );
  });

  test('random records are read back by csv-parse', () => {
    const alphabet = ['"', ',', '\n', '\r', ' ', 'a', 'é', '日'];
    let seed = 99;
    const next = (below: number) => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 8) % below;
    const data = Array.from({ length: 3000 }, () => Array.from({ length: next(6) }, () => alphabet[next(8)]).join(''));
    const rows = Array.from({ length: 1000 }, (_, row) => row);
    for (const [format, delimiter] of [
      ['csv', ','],
      ['azureml', ' '],
    ] as const) {
      const text = encode(format, [{ width: 3, data }], rows, 'my "file", 1');
      const records: string[][] = parse(text, { delimiter, record_delimiter: '\n' });
      expect(records).toEqual(rows.map((row) => ['my "file", 1', String(row), ...data.slice(row * 3, row * 3 + 3)]));
    }
  });

  test('bytes have a buffer of their own, fit to be moved to another thread', () => {
    const bytes = recordEncoder('f', 'csv').encode([0], 1, [{ width: 1, data: Float32Array.of(1) }]);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    expect(bytes.byteLength).toBe(0);
  });
});

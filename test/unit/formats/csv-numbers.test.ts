import { describe, expect, test } from 'vitest';
import { CellKind } from '../../../shared/formats/record-target.ts';
import { cellsOf, decimal, readCsv } from './read-csv.ts';

describe('numbers', () => {
  const texts = ['0', '-0', '7', '-12', '.5', '5.', '0.1', '-3.25', '123456789.125', '9007199254740991', '0.96'];

  test('are read exactly as Number() reads them', () => {
    const result = readCsv(texts.join('\n') + '\n', { kind: decimal });
    expect(cellsOf(result)).toEqual(texts.map((text) => [Number(text)]));
  });

  test('of every length before and after the point are read exactly', () => {
    const digits = '7305918264038';
    const lengths = Array.from({ length: digits.length + 1 }, (_, length) => length);
    const all = lengths.flatMap((whole) =>
      lengths.flatMap((fraction) => {
        const text = `${digits.slice(0, whole)}.${digits.slice(0, fraction)}`;
        return whole + fraction === 0 ? [] : fraction === 0 ? [text, text.slice(0, -1)] : [text];
      }),
    );
    const signed = all.flatMap((text) => [text, `-${text}`]);
    const result = readCsv(signed.map((text) => `${text},1`).join('\n') + '\n', { kind: decimal, width: 2 });
    expect(cellsOf(result).map(([cell]) => Number(cell))).toEqual(signed.map(Number));
    const exact = signed.filter((text) => text.replace(/\D/g, '').length <= 15).length;
    expect(cellsOf(result).filter(([cell]) => typeof cell === 'number').length).toBeGreaterThanOrEqual(exact);
  });

  test('what is not plain goes to the target as text', () => {
    const odd = [
      '',
      '-',
      '.',
      '1e5',
      '+1',
      ' 1',
      '0x10',
      '1.5.2',
      'NaN',
      '9007199254740993',
      '"4"',
      `0.${'1'.repeat(30)}`,
    ];
    const result = readCsv(odd.map((text) => `${text},1`).join('\n') + '\n', { kind: decimal, width: 2 });
    expect(cellsOf(result)).toEqual(odd.map((text) => [text === '"4"' ? '4' : text, 1]));
  });

  test('integers go to the array, decimals and long ones to the target', () => {
    const result = readCsv('1\n-5\n999999999\n1000000000\n1.0\n', { kind: () => CellKind.Integer });
    expect(cellsOf(result)).toEqual([[1], [-5], [999999999], ['1000000000'], ['1.0']]);
  });

  test('long decimals become the float32 nearest to the double', () => {
    let seed = 7;
    const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
    const lines = Array.from({ length: 20_000 }, () => {
      const digits = String(next()) + String(next());
      const at = next() % 12;
      return `${next() % 2 ? '-' : ''}${digits.slice(0, at)}.${digits.slice(at)}`;
    });
    // Midpoints between two float32s and their neighbours are where an inexact mantissa would show.
    for (let i = 0; i < 2000; i++) {
      const low = Math.fround(next() / 2 ** 32);
      const middle = low + 2 ** (Math.floor(Math.log2(low)) - 24);
      lines.push(middle.toFixed(22), `${middle.toFixed(20)}1`, middle.toFixed(18));
    }
    const result = readCsv(lines.join('\n') + '\n', { kind: decimal, narrow: true });
    const wrong = result.records.filter(
      ({ cells }, i) => !Object.is(Math.fround(Number(cells[0])), Math.fround(Number(lines[i]))),
    );
    expect(wrong).toEqual([]);
    expect(result.records).toHaveLength(lines.length);
    expect(result.records.filter(({ cells }) => typeof cells[0] === 'number').length).toBeGreaterThan(19_000);
  });
});

import { describe, expect, test } from 'vitest';
import { FileFault } from '../../../shared/formats/file-fault.ts';
import { cellsOf, readCsv, type Setup } from './read-csv.ts';

describe('faults of the file', () => {
  const fault = (content: string | Uint8Array, setup: Setup = {}) => {
    try {
      readCsv(content, setup);
    } catch (error) {
      if (error instanceof FileFault) return { code: error.code, line: error.line };
      throw error;
    }
    return undefined;
  };

  test.each([
    ['NUL in a cell', 'a,b\nc,\0d\n', { code: 'NotCsv', line: 2 }],
    ['NUL in quotes', 'a,b\n"c\n\0",d\n', { code: 'NotCsv', line: 3 }],
    ['UTF-16', Buffer.from('\uFEFFa,b\n', 'utf16le'), { code: 'NotCsv', line: 1 }],
    ['a quote never closed', 'a,b\n1,2\n3,"4\n5,6\n', { code: 'UnterminatedQuote', line: 3 }],
    ['a quote never closed on a later line of its record', 'a,b\n"1\n2","3\n', { code: 'UnterminatedQuote', line: 3 }],
  ])('%s', (_, content, expected) => {
    for (const chunk of [1, 3, 1000]) expect(fault(content, { width: 2, chunk })).toEqual(expected);
  });

  test('a header that is not UTF-8', () => {
    expect(fault(Buffer.from([0x61, 0xff, 0x2c, 0x62, 0x0a]), { header: true })).toEqual({ code: 'NotCsv', line: 1 });
  });

  test('a record is refused when it is longer than the limit, wherever the chunks are cut', () => {
    const setup = { width: 1, maxRecordBytes: 10 };
    for (const chunk of [1, 4, 1000]) {
      expect(cellsOf(readCsv('a\n123456789\nb\n', { ...setup, chunk }))).toEqual([['a'], ['123456789'], ['b']]);
      expect(fault('a\n1234567890\nb\n', { ...setup, chunk })).toEqual({ code: 'RecordTooLong', line: 2 });
    }
  });

  test('an open quote does not gather more than the longest record', () => {
    const content = `a\n"${'x'.repeat(3_000_000)}\n`;
    expect(() => readCsv(content, { width: 1 })).toThrow(
      'longer than 1048576 bytes; the quote opened on line 2 is not closed',
    );
  });
});

test('any number of blank lines may come before the header, and is counted', () => {
  const content = `${'\r\n'.repeat(200_000)}a\nb\n`;
  expect(readCsv(content, { header: true, chunk: 70_001 })).toEqual({
    header: ['a'],
    records: [{ row: 0, line: 200_002, offset: 400_002, cells: ['b'] }],
    faults: [],
  });
});

test('a record as long as the limit is read through a growing window', () => {
  const long = 'é'.repeat(400_000);
  expect(cellsOf(readCsv(`a\n${long}\nb\n`, { width: 1, chunk: 70_001 }))).toEqual([['a'], [long], ['b']]);
});

import { describe, expect, test } from 'vitest';
import { cellsOf, readCsv } from './read-csv.ts';

describe('records', () => {
  test.each([
    ['an empty file', '', []],
    ['a file of blank lines', '\n\r\n\n', []],
    ['one record without a line end', 'a,b', [['a', 'b']]],
    [
      'LF',
      'a,b\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'CRLF',
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a lone CR',
      'a,b\rc,d\r',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'mixed line ends and blank lines',
      '\na,b\r\n\r\n\nc,d\re,f',
      [
        ['a', 'b'],
        ['c', 'd'],
        ['e', 'f'],
      ],
    ],
    [
      'empty last cells, at the end of the file too',
      'a,\n,\nb,',
      [
        ['a', ''],
        ['', ''],
        ['b', ''],
      ],
    ],
    [
      'quotes',
      '"a","b,c"\n"",d\n',
      [
        ['a', 'b,c'],
        ['', 'd'],
      ],
    ],
    ['doubled quotes', '"a ""b""",""""\n', [['a "b"', '"']]],
    ['line ends inside quotes', '"a\nb","c\r\nd"\n', [['a\nb', 'c\r\nd']]],
    ['a quote inside an unquoted cell is itself', 'a"b,"c"\n', [['a"b', 'c']]],
    ['a byte order mark', '\uFEFFa,b\n', [['a', 'b']]],
    ['text beyond ASCII', 'Grün,日本\n', [['Grün', '日本']]],
  ])('%s', (_, content, expected) => {
    for (const chunk of [1, 2, 3, 1000]) expect(cellsOf(readCsv(content, { width: 2, chunk }))).toEqual(expected);
  });

  test('rows count records, lines count lines, also through quotes, blank lines and failed records', () => {
    const result = readCsv('h,i\n\n"a\nb",1\r\n\r\nFAULT,2\nc,3\n', { header: true });
    expect(result).toEqual({
      header: ['h', 'i'],
      records: [
        { row: 0, line: 3, offset: 5, cells: ['a\nb', '1'] },
        { row: 2, line: 7, offset: 24, cells: ['c', '3'] },
      ],
      faults: [{ row: 1, line: 6, offset: 16, code: 'Refused', reason: 'column 0' }],
    });
  });

  test('records with too few, too many or badly quoted cells fail, and the others are read', () => {
    const result = readCsv('a,b\n1\n2,3\n4,5,6\n"7"x,8\n9,10', { header: true, capacity: 1 });
    expect(cellsOf(result)).toEqual([
      ['2', '3'],
      ['9', '10'],
    ]);
    expect(result.faults).toEqual([
      { row: 0, line: 2, offset: 4, code: 'TooFewColumns', reason: 'The record has 1 cell, expected 2.' },
      { row: 2, line: 4, offset: 10, code: 'TooManyColumns', reason: 'The record has 3 cells, expected 2.' },
      { row: 3, line: 5, offset: 16, code: 'BadQuote', reason: 'Column 1 has text after its closing quote.' },
    ]);
  });

  test('another delimiter', () => {
    expect(cellsOf(readCsv('a;b,c\n"d;e";f', { width: 2, delimiter: ';' }))).toEqual([
      ['a', 'b,c'],
      ['d;e', 'f'],
    ]);
  });

  test.each(['', ',,', '"', '1', '.', '\n', 'é'])('%j is refused as a delimiter', (delimiter) => {
    expect(() => readCsv('', { delimiter })).toThrow(RangeError);
  });
});

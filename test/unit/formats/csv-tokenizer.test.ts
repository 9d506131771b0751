import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { csvTokenizer, type CsvOptions } from '../../../shared/formats/csv-tokenizer.ts';
import { CellKind, type CellFault, type CsvTarget, type RecordFault } from '../../../shared/formats/csv-layout.ts';
import { FileFault } from '../../../shared/formats/file-fault.ts';

interface Read {
  header: readonly string[] | undefined;
  records: { row: number; line: number; cells: (string | number)[] }[];
  faults: RecordFault[];
}

interface Setup extends Partial<CsvOptions> {
  /** Columns of a file without a header. */
  width?: number;
  kind?: (column: number) => number;
  capacity?: number;
  /** Bytes a chunk; default all at once. */
  chunk?: number;
  narrow?: boolean;
}

/** Reads a whole file through the tokenizer; a numeric cell that is not plain is kept as its text. */
function read(content: string | Uint8Array, setup: Setup = {}): Read {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const capacity = setup.capacity ?? 3;
  const result: Read = { header: undefined, records: [], faults: [] };
  let values: Float32Array | Float64Array = new Float64Array(0);
  let texts: (string | undefined)[] = [];
  let places: { row: number; line: number }[] = [];
  let width = 0;
  const target: CsvTarget = {
    open(header) {
      result.header = header === undefined ? undefined : [...header];
      width = header?.length ?? setup.width ?? 1;
      values = setup.narrow ? new Float32Array(width * capacity) : new Float64Array(width * capacity);
      return {
        width,
        kinds: Uint8Array.from({ length: width }, (_, column) => setup.kind?.(column) ?? CellKind.Text),
        base: Int32Array.from({ length: width }, (_, column) => column),
        step: new Int32Array(width).fill(width),
        values,
      };
    },
    cell(column, slot, cell, start, end): CellFault | undefined {
      const text = cell.toString('utf8', start, end);
      if (text === 'FAULT') return { code: 'Refused', reason: `column ${column}` };
      texts[slot * width + column] = text;
      return undefined;
    },
    kept(slot, row, line) {
      places[slot] = { row, line };
      return slot + 1 >= capacity;
    },
    failed(fault) {
      result.faults.push(fault);
      return result.faults.length % 2 === 0;
    },
  };
  const tokenizer = csvTokenizer({ delimiter: ',', header: false, ...setup }, target);
  const drain = () => {
    for (let slot = 0; slot < tokenizer.slots; slot++) {
      const place = places[slot] as { row: number; line: number };
      const cells = Array.from(
        { length: width },
        (_, c) => texts[slot * width + c] ?? (values[slot * width + c] as number),
      );
      result.records.push({ ...place, cells });
    }
    texts = [];
    places = [];
    tokenizer.clear();
  };
  const size = setup.chunk ?? Math.max(bytes.length, 1);
  for (let from = 0; from < bytes.length; from += size) {
    const chunk = bytes.subarray(from, from + size);
    let offset = 0;
    do {
      offset = tokenizer.push(chunk, offset);
      if (tokenizer.full) drain();
    } while (offset < chunk.length);
  }
  while (!tokenizer.end()) drain();
  drain();
  return result;
}

const cellsOf = (result: Read) => result.records.map(({ cells }) => cells);
const decimal = () => CellKind.Decimal;

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
    for (const chunk of [1, 2, 3, 1000]) expect(cellsOf(read(content, { width: 2, chunk }))).toEqual(expected);
  });

  test('rows count records, lines count lines, also through quotes, blank lines and failed records', () => {
    const result = read('h,i\n\n"a\nb",1\r\n\r\nFAULT,2\nc,3\n', { header: true });
    expect(result).toEqual({
      header: ['h', 'i'],
      records: [
        { row: 0, line: 3, cells: ['a\nb', '1'] },
        { row: 2, line: 7, cells: ['c', '3'] },
      ],
      faults: [{ row: 1, line: 6, code: 'Refused', reason: 'column 0' }],
    });
  });

  test('records with too few, too many or badly quoted cells fail, and the others are read', () => {
    const result = read('a,b\n1\n2,3\n4,5,6\n"7"x,8\n9,10', { header: true, capacity: 1 });
    expect(cellsOf(result)).toEqual([
      ['2', '3'],
      ['9', '10'],
    ]);
    expect(result.faults).toEqual([
      { row: 0, line: 2, code: 'TooFewColumns', reason: 'The record has 1 cell, expected 2.' },
      { row: 2, line: 4, code: 'TooManyColumns', reason: 'The record has 3 cells, expected 2.' },
      { row: 3, line: 5, code: 'BadQuote', reason: 'Column 1 has text after its closing quote.' },
    ]);
  });

  test('another delimiter', () => {
    expect(cellsOf(read('a;b,c\n"d;e";f', { width: 2, delimiter: ';' }))).toEqual([
      ['a', 'b,c'],
      ['d;e', 'f'],
    ]);
  });

  test.each(['', ',,', '"', '1', '.', '\n', 'é'])('%j is refused as a delimiter', (delimiter) => {
    expect(() => read('', { delimiter })).toThrow(RangeError);
  });
});

describe('numbers', () => {
  const texts = ['0', '-0', '7', '-12', '.5', '5.', '0.1', '-3.25', '123456789.125', '9007199254740991', '0.96'];

  test('are read exactly as Number() reads them', () => {
    const result = read(texts.join('\n') + '\n', { kind: decimal });
    expect(cellsOf(result)).toEqual(texts.map((text) => [Number(text)]));
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
    const result = read(odd.map((text) => `${text},1`).join('\n') + '\n', { kind: decimal, width: 2 });
    expect(cellsOf(result)).toEqual(odd.map((text) => [text === '"4"' ? '4' : text, 1]));
  });

  test('integers go to the array, decimals and long ones to the target', () => {
    const result = read('1\n-5\n999999999\n1000000000\n1.0\n', { kind: () => CellKind.Integer });
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
    const result = read(lines.join('\n') + '\n', { kind: decimal, narrow: true });
    const wrong = result.records.filter(
      ({ cells }, i) => !Object.is(Math.fround(Number(cells[0])), Math.fround(Number(lines[i]))),
    );
    expect(wrong).toEqual([]);
    expect(result.records).toHaveLength(lines.length);
    expect(result.records.filter(({ cells }) => typeof cells[0] === 'number').length).toBeGreaterThan(19_000);
  });
});

describe('faults of the file', () => {
  const fault = (content: string | Uint8Array, setup: Setup = {}) => {
    try {
      read(content, setup);
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
      expect(cellsOf(read('a\n123456789\nb\n', { ...setup, chunk }))).toEqual([['a'], ['123456789'], ['b']]);
      expect(fault('a\n1234567890\nb\n', { ...setup, chunk })).toEqual({ code: 'RecordTooLong', line: 2 });
    }
  });

  test('an open quote does not gather more than the longest record', () => {
    const content = `a\n"${'x'.repeat(3_000_000)}\n`;
    expect(() => read(content, { width: 1 })).toThrow(
      'longer than 1048576 bytes; the quote opened on line 2 is not closed',
    );
  });
});

test('a record as long as the limit is read through a growing window', () => {
  const long = 'é'.repeat(400_000);
  expect(cellsOf(read(`a\n${long}\nb\n`, { width: 1, chunk: 70_001 }))).toEqual([['a'], [long], ['b']]);
});

test('random files cut anywhere are read as csv-parse reads them', () => {
  let seed = 4711;
  const next = (below: number) => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 8) % below;
  const pick = (choices: readonly string[]) => choices[next(choices.length)] as string;
  const cell = () =>
    next(3) === 0
      ? `"${Array.from({ length: next(5) }, () => pick(['a', '""', ',', '\n', '\r\n', 'é', '1'])).join('')}"`
      : next(2) === 0
        ? pick(['', '1', '-2.5', '0.001', '1e3', '12345678901234567890', 'nan', '.5', '7.', '-'])
        : Array.from({ length: next(4) }, () => pick(['a', 'b', ' ', 'é', '"x'])).join('x');
  for (let i = 0; i < 3000; i++) {
    const width = 1 + next(4);
    const end = pick(['\n', '\r\n']);
    const lines = Array.from({ length: next(8) }, () =>
      next(10) === 0 ? '' : Array.from({ length: width }, cell).join(',').replace(/^"x/, 'x"x').replaceAll(',"x', ',x'),
    );
    const content = lines.join(end) + (next(2) === 0 ? end : '');
    const expected: string[][] = parse(content, {
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ['\n', '\r\n'],
    });
    const numeric = next(2) === 0;
    const wanted = expected.map((record) => record.map((text) => (numeric ? asNumber(text) : text)));
    for (const chunk of [1 + next(7), 1000]) {
      const result = read(content, {
        width,
        chunk,
        capacity: 1 + next(3),
        kind: () => (numeric ? CellKind.Decimal : CellKind.Text),
      });
      const cells = cellsOf(result).map((record) => record.map((text) => (numeric ? asNumber(text) : text)));
      expect({ content, cells, faults: result.faults }).toEqual({ content, cells: wanted, faults: [] });
    }
  }
});

function asNumber(text: string | number): string | number {
  return typeof text === 'string' && text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
}

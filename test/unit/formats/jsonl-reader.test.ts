import { describe, expect, test } from 'vitest';
import { readRecords, type HowToRead } from '../../support/read-records.ts';

const columns = [
  { name: 'a', type: 'float64' },
  { name: 'b', type: 'string' },
] as const;

const read = (text: string | Uint8Array, how: Partial<HowToRead> = {}) =>
  readRecords('f.jsonl', Buffer.from(text), { columns, ...how });
const valuesOf = async (text: string, how?: Partial<HowToRead>) =>
  (await read(text, how)).records.map(({ values }) => values);

describe('keys', () => {
  test.each([
    [
      'in any order, among others, with spaces around',
      '{"x":0,"b":"p"," a ":1}\r\n\n {"a": 2 ,\t"b" : "q"} ',
      [
        [1, 'p'],
        [2, 'q'],
      ],
    ],
    ['with escapes', '{"\\u0061":1,"b":"p"}', [[1, 'p']]],
    [
      'in an order that changes',
      '{"a":1,"b":"p"}\n{"b":"q","a":2}\n{"a":3,"b":"r"}',
      [
        [1, 'p'],
        [2, 'q'],
        [3, 'r'],
      ],
    ],
    [
      'of which the first object lacks some',
      '{"a":1}\n{"a":2,"b":"q"}',
      [
        [1, ''],
        [2, 'q'],
      ],
    ],
    [
      'under other names, by place',
      '{"p":1,"q":"x"}\n{"q":"y","p":2}',
      [
        [1, 'x'],
        [2, 'y'],
      ],
    ],
  ])('%s', async (_, text, expected) => {
    for (const chunk of [1, 5, 1000]) expect(await valuesOf(text, { chunk })).toEqual(expected);
  });

  test('by place for a model without names', async () => {
    const unnamed = [{ type: 'float64' }, { type: 'float64' }] as const;
    expect(await valuesOf('{"p":1,"q":2}\n{"q":4,"p":3}', { columns: unnamed })).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('none of which the model knows, and of another number, fail the file at their line and offset', async () => {
    await expect(read('\n{"c":1}\n')).rejects.toMatchObject({
      code: 'MissingColumns',
      line: 2,
      offset: 1,
      message: "The header lacks columns of the model: 'a', 'b'.",
    });
  });
});

test('lines at fault fail alone, with row, line and byte offset', async () => {
  const lines = [
    '{"a":1,"b":"é"}',
    'not json',
    '{"a":1,"b":"x"',
    '{"a":1,"b":"x"} 2',
    '"a"',
    '[1,"x"]',
    '{"a":[1],"b":"x"}',
    '{"a":1,"a":2,"b":"x"}',
    '{"a":01,"b":"x"}',
    '{"a":1,"b":"\u0000"}',
    '{"a":2,"b":{"x":1}}',
    '{"a":2,"b":"last"}',
  ];
  const { records, failures } = await read(lines.join('\n'));
  const offset = (row: number) =>
    Buffer.byteLength(
      lines
        .slice(0, row)
        .map((line) => `${line}\n`)
        .join(''),
    );
  const notJson = 'The line is not a JSON object or array.';
  expect(records).toEqual([
    { row: 0, values: [1, 'é'] },
    { row: 11, values: [2, 'last'] },
  ]);
  expect(failures).toEqual(
    [
      [1, 'NotJson', notJson],
      [2, 'NotJson', notJson],
      [3, 'NotJson', notJson],
      [4, 'NotJson', notJson],
      [5, 'MixedRecords', 'The line is an array, but the first record of the file is an object.'],
      [6, 'NestedValue', "Column 'a' has an array, expected a single value."],
      [7, 'DuplicateKey', "The object has the key 'a' twice."],
      [8, 'NotJson', notJson],
      [9, 'NotJson', notJson],
      [10, 'NestedValue', "Column 'b' has an object, expected a single value."],
    ].map(([row, code, reason]) => ({ row, line: Number(row) + 1, offset: offset(Number(row)), code, reason })),
  );
});

test('arrays have as many values as the model has columns', async () => {
  const { records, failures } = await read('[1,"x"]\n[1]\n[]\n[1,"x",2]\n[ 2 , null ]');
  expect(records.map(({ values }) => values)).toEqual([
    [1, 'x'],
    [2, ''],
  ]);
  expect(failures.map(({ row, code, reason }) => [row, code, reason])).toEqual([
    [1, 'TooFewColumns', 'The record has 1 cell, expected 2.'],
    [2, 'TooFewColumns', 'The record has 0 cells, expected 2.'],
    [3, 'TooManyColumns', 'The record has 3 cells, expected 2.'],
  ]);
});

test('a byte order mark is skipped, and counts in offsets', async () => {
  const { records, failures } = await read('\uFEFF{"a":1,"b":""}\nx');
  expect(records).toEqual([{ row: 0, values: [1, ''] }]);
  expect(failures).toMatchObject([{ line: 2, offset: 18 }]);
});

test('random lines are JSON where JSON.parse says so, and have its values', async () => {
  let seed = 5;
  const next = (below: number) => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 8) % below;
  const pick = <T>(choices: readonly T[]): T => choices[next(choices.length)] as T;
  const value = (depth: number): string => {
    const leaf = () =>
      pick(['1', '-0', '0.5', '1e3', '-2.5E-3', '12345678901234567890', '"é"', '"\\n\\u00e9"', 'true', 'null', '" "']);
    if (depth > 2 || next(3) > 0) return leaf();
    return next(2) === 0
      ? `[${Array.from({ length: next(3) }, () => value(depth + 1)).join(pick([',', ' , ']))}]`
      : `{${Array.from({ length: next(3) }, () => `"k":${value(depth + 1)}`).join(',')}}`;
  };
  const lines = Array.from({ length: 4000 }, () => {
    const line = `{"b":${value(0)},"z":${value(0)}}`;
    if (next(2) === 0) return line;
    // One byte is lost, doubled, or another.
    const at = next(line.length);
    return (
      line.slice(0, at) +
      pick(['', (line[at] ?? '') + (line[at] ?? ''), pick([...'{}[]",:0.eE+-\\ut '])]) +
      line.slice(at + 1)
    );
  });
  const text = [{ name: 'b', type: 'string' }] as const;
  const { records, failures } = await read(lines.join('\n'), { columns: text, chunk: 997 });
  const refused = new Set(failures.filter(({ code }) => code === 'NotJson').map(({ row }) => row));
  const values = new Map(records.map(({ row, values: [cell] }) => [row, cell]));
  lines.forEach((line, row) => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch {
      parsed = undefined;
    }
    expect({ line, refused: refused.has(row) }).toEqual({ line, refused: parsed === undefined });
    const cell = (parsed as { b?: unknown } | undefined)?.b;
    if (typeof cell === 'string' && values.has(row)) expect({ line, cell: values.get(row) }).toEqual({ line, cell });
    if (typeof cell === 'number' && values.has(row)) expect(Number(values.get(row))).toBe(cell);
  });
  expect(records.length).toBeGreaterThan(1500);
  expect(refused.size).toBeGreaterThan(1000);
});

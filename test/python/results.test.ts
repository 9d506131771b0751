import { describe, expect, it } from 'vitest';
import { engineOf, runScript, score, type ScoreSettings } from './scripts.ts';

/** What a `run` with this body gives. */
async function resultOf(body: string, settings: ScoreSettings = {}): Promise<[readonly string[] | undefined, string]> {
  const { columns, text, results } = await score(await engineOf(runScript(body)), settings);
  expect(results).toBe(text.split('\n').length - 1);
  return [columns, text];
}

describe('rows of a result', () => {
  it('are one column for values', async () => {
    expect(await resultOf('return ["a", "b, c", \'say "x"\', ""]')).toEqual([
      ['prediction'],
      'a\n"b, c"\n"say ""x"""\n\n',
    ]);
  });

  it('have numbered columns for lists and tuples', async () => {
    expect(await resultOf('return [[1, "x"], (2, "y")]')).toEqual([['0', '1'], '1,x\n2,y\n']);
  });

  it('have the names of dicts and named tuples', async () => {
    expect(await resultOf('return [{"label": "cat", "p": 0.5}, {"p": 1.0, "label": "dog"}]')).toEqual([
      ['label', 'p'],
      'cat,0.5\ndog,1\n',
    ]);
    const point = 'from collections import namedtuple\nreturn [namedtuple("Point", "x y")(1, 2)]';
    expect(await resultOf(point)).toEqual([['x', 'y'], '1,2\n']);
  });

  it('come from any iterable, in parts', async () => {
    const engine = await engineOf(runScript('return ((i, "x" * 100) for i in range(10000))'));
    const { text, results, columns } = await score(engine);
    expect({ results, columns }).toEqual({ results: 10000, columns: ['0', '1'] });
    expect(text).toBe(Array.from({ length: 10000 }, (_, i) => `${i},${'x'.repeat(100)}\n`).join(''));
  });

  it('may be none, or more than there are files', async () => {
    expect(await resultOf('return []')).toEqual([undefined, '']);
    expect(await resultOf('return range(5)', { files: ['a'] })).toEqual([['prediction'], '0\n1\n2\n3\n4\n']);
  });

  it('write numbers as the ONNX engine does, dates as ISO 8601, and nothing for a missing value', async () => {
    const numbers = 'return [1, 1.0, -0.5, 1e-5, 1e-7, 1.5e-7, 123456789012345680000.0, 1e21, 1.5e300, float("inf")]';
    expect((await resultOf(numbers))[1].trim().split('\n')).toEqual(
      [1, 1, -0.5, 1e-5, 1e-7, 1.5e-7, 123456789012345680000, 1e21, 1.5e300, 'inf'].map(String),
    );
    const others = [
      'import datetime, decimal',
      'return [[True, None, float("nan"), decimal.Decimal("1.10"), datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3)]]',
    ].join('\n');
    expect((await resultOf(others))[1]).toBe('true,,,1.10,2026-01-02,2026-01-02T03:00:00\n');
  });

  it('take the columns that the output has, by name or in order', async () => {
    const named = 'return [{"b": 1, "a": 2}, {"a": 3}]';
    expect(await resultOf(named, { outputColumns: ['a', 'c', 'b'] })).toEqual([['a', 'c', 'b'], '2,,1\n3,,\n']);
    expect(await resultOf('return [[1, 2]]', { outputColumns: ['x', 'y'] })).toEqual([['x', 'y'], '1,2\n']);
    expect(await resultOf('return [1]', { outputColumns: ['x'] })).toEqual([['x'], '1\n']);
  });

  it('are str() of each item, as Azure ML prints them', async () => {
    const body = 'return ["a b", 1.0, ["x.csv", 0], {"k": None}, (1, True)]';
    expect(await resultOf(body, { outputFormat: 'azureml' })).toEqual([
      ['prediction'],
      "a b\n1.0\n['x.csv', 0]\n{'k': None}\n(1, True)\n",
    ]);
  });

  it('are counted with their first ones where only the summary counts', async () => {
    const engine = await engineOf(runScript('return (str(i) * 2 for i in range(5))'));
    expect(await score(engine, { summaryOnly: true, files: ['a', 'b'] })).toMatchObject({
      text: '',
      results: 5,
      items: ['00', '11'],
    });
  });
});

describe('a result that cannot be written', () => {
  it.each([
    [
      'return None',
      'run() returned None, which is not rows. Return a list, a numpy array, a pandas DataFrame or an iterable of rows.',
    ],
    ['return 7', 'run() returned 7 (int), which is not rows.'],
    ['return "text"', "run() returned 'text' (str), which is not rows."],
    ['return {"a": 1}', "run() returned {'a': 1} (dict), which is not rows."],
    ['return [1, b"x"]', 'Item 1 of what run() returned is bytes; decode it to a str.'],
    [
      'return [{"a": 1}, {"a": [1, 2]}]',
      'Column a in item 1 of what run() returned is a list inside a cell; flatten it, or make it text with json.dumps.',
    ],
    ['return [object()]', 'Item 0 of what run() returned is an object of type object; return numbers or text.'],
    [
      'return [[1, 2], [3]]',
      'run() returned rows of different lengths: item 1 has 1 cell, the first had 2. Give all rows as many.',
    ],
    [
      'return [[1], 2]',
      'run() returned rows of different kinds: item 1 is a single value, the first was a row of cells. Return rows of one kind.',
    ],
    [
      'return [{"a": 1}, {"b": 1}]',
      'run() returned rows with different columns: item 1 has b, the first had a. Give all rows the same ones.',
    ],
    ['return [[]]', 'run() returned item 0 without a cell. Give each row at least one.'],
  ])('%s', async (body, message) => {
    const engine = await engineOf(runScript(`if files[0].endswith("good"): return files\n${body}`));
    await expect(score(engine)).rejects.toThrow(message);
    expect((await score(engine, { files: ['good'] })).text).toBe('/data/good\n');
  });

  it('has another number of columns than the output', async () => {
    const engine = await engineOf(runScript('return [[1, 2]]'));
    await expect(score(engine, { outputColumns: ['a'] })).rejects.toThrow(
      'run() returned 2 columns and outputColumns names 1. Return one for each name, or correct outputColumns.',
    );
  });
});

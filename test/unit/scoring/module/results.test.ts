import { describe, expect, it } from 'vitest';
import { engineOf, scoreAll, type Scored } from './code.ts';

/** What a module gives that returns this expression. */
async function returning(expression: string, task: Parameters<typeof scoreAll>[1] = {}): Promise<Scored> {
  const engine = await engineOf({ files: { 'score.mjs': `export const run = (miniBatch) => ${expression};` } });
  return scoreAll(engine, task);
}

describe('what run() returns', () => {
  const cases: [what: string, expression: string, columns: string[] | undefined, text: string][] = [
    ['no rows', '[]', undefined, ''],
    ['one number', '[0.1]', ['prediction'], '0.1\n'],
    ['texts', `['a', 'b,c', 'say "x"']`, ['prediction'], 'a\n"b,c"\n"say ""x"""\n'],
    ['a promise of rows', 'Promise.resolve([1, 2])', ['prediction'], '1\n2\n'],
    ['promises of rows', 'miniBatch.map(async ({ name }) => [name, 1])', ['0', '1'], 'a.txt,1\n'],
    ['a generator', '(function* () { yield 1; yield 2; })()', ['prediction'], '1\n2\n'],
    ['an async generator', '(async function* () { yield [1, 2]; })()', ['0', '1'], '1,2\n'],
    ['a set', 'new Set([1, 2])', ['prediction'], '1\n2\n'],
    ['numbers of a tensor', 'Float32Array.of(0.5, 2)', ['prediction'], '0.5\n2\n'],
    ['float32 lists', '[Float32Array.of(0.1, NaN), Float32Array.of(0.2, Infinity)]', ['0', '1'], '0.1,\n0.2,inf\n'],
    ['int64 lists', '[BigInt64Array.of(1n, -9007199254740993n)]', ['0', '1'], '1,-9007199254740993\n'],
    ['objects', `[{ file: 'a', score: 1 }, { score: 2, file: 'b' }]`, ['file', 'score'], 'a,1\nb,2\n'],
    [
      'each kind of value',
      `[[1.5, 'x', true, 10n, new Date(0), null, undefined, NaN, -Infinity]]`,
      ['0', '1', '2', '3', '4', '5', '6', '7', '8'],
      '1.5,x,true,10,1970-01-01T00:00:00.000Z,,,,-inf\n',
    ],
    ['nothing in the only column', `[null, NaN, '', 'x']`, ['prediction'], '""\n""\n""\nx\n'],
    ['more rows than files', '[1, 2, 3]', ['prediction'], '1\n2\n3\n'],
  ];
  it.each(cases)('%s', async (_, expression, columns, text) => {
    const scored = await returning(expression);
    const rows = text.split('\n').length - 1;
    expect({ text: scored.text, columns: scored.columns, rows: scored.rows, results: scored.results }).toEqual({
      text,
      columns,
      rows,
      results: rows,
    });
  });

  it('is written between spaces for azureml, and a value as it is', async () => {
    const azureml = { outputFormat: 'azureml' } as const;
    expect((await returning(`[['a b', 1, null, 'c']]`, azureml)).text).toBe('"a b" 1 "" c\n');
    expect((await returning(`['a b', 1, null]`, azureml)).text).toBe('a b\n1\n""\n');
  });

  it('is taken by outputColumns: objects in their order, lists and values by place', async () => {
    const rows = `[{ a: 1, b: 2 }, { b: 3, c: 4 }]`;
    const named = await returning(rows, { outputColumns: ['b', 'a'] });
    expect([named.columns, named.text]).toEqual([['b', 'a'], '2,1\n3,\n']);
    const listed = await returning('[[1, 2]]', { outputColumns: ['x', 'y'] });
    expect([listed.columns, listed.text]).toEqual([['x', 'y'], '1,2\n']);
    const single = await returning('[5]', { outputColumns: ['score'] });
    expect([single.columns, single.text]).toEqual([['score'], '5\n']);
  });

  it('is only counted with summaryOnly, whatever it is, and at most one for each file is shown', async () => {
    const scored = await returning(`['a.txt', Buffer.from('x'), { deep: [1] }]`, {
      summaryOnly: true,
      files: { 'a.txt': 'A', 'b.txt': 'B' },
    });
    expect(scored).toEqual({
      text: '',
      columns: undefined,
      rows: 0,
      results: 3,
      items: ['a.txt', '<Buffer 78>'],
      printed: [],
    });
  });

  it('arrives in parts, each taken before many more are made', async () => {
    const engine = await engineOf({
      files: {
        'score.mjs': `
          let made = 0;
          export async function* run() { for (; made < 300_000; made++) yield [made, 'some text in each row']; }
          export const init = ({ logger }) => setInterval(() => logger.info('made', made), 10).unref();`,
      },
    });
    let most = 0;
    let rows = 0;
    const parts = engine.score(
      { files: [{ name: 'a', path: '/nowhere' }], outputFolder: '/nowhere' },
      {
        options: { outputFormat: 'csv', summaryOnly: false },
        timeoutMs: 30_000,
        signal: new AbortController().signal,
        print: ({ text }) => (most = Number(text.split(' ')[2])),
      },
    );
    for await (const part of parts) {
      if (part.type !== 'rows') continue;
      rows += part.rows;
      if (rows > 50_000) continue;
      // Long enough for all rows, if nothing held them back.
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(most).toBeLessThan(100_000);
    }
    expect(rows).toBe(300_000);
  });
});

describe('a result that cannot be written says what to do', () => {
  const cases: [what: string, expression: string, message: string][] = [
    [
      'nothing',
      'undefined',
      'run() returned undefined: return a list of rows, or something else to iterate over; an empty list for none.',
    ],
    ['a text', `'abc'`, 'run() returned a string: return a list'],
    ['an object', '({ a: 1 })', 'run() returned an object that is not iterable: return a list'],
    ['bytes', `Buffer.from('abc')`, 'run() returned bytes: return a list'],
    [
      'bytes in a row',
      `[['a', 1], ['b', Buffer.from('x')]]`,
      "Result [1] of run() holds in column '1' bytes: return text, as by toString('base64'), or write a file into context.outputFolder.",
    ],
    ['bytes as a row', `[Buffer.from('x')]`, 'Result [0] of run() is bytes: return text'],
    [
      'nested lists',
      '[[1, [2, 3]]]',
      "Result [0] of run() holds in column '1' a list: return its values as columns of their own, or as text by JSON.stringify.",
    ],
    ['nested objects', '[{ box: { x: 1 } }]', "Result [0] of run() holds in column 'box' an object: return its values"],
    ['a function', '[() => 1]', 'Result [0] of run() is a function: return its value.'],
    ['a symbol', `[[Symbol('a')]]`, "Result [0] of run() holds in column '0' a symbol: return its description."],
    ['an invalid date', `[new Date('x')]`, 'Result [0] of run() is an invalid date: return null for no date.'],
    ['an empty list', '[[]]', 'Result [0] of run() is a list without values: a row needs at least one.'],
    [
      'lists of other lengths',
      '[[1, 2], [1]]',
      'Result [1] of run() has 1 values, result [0] has 2: return lists of one length.',
    ],
    [
      'two kinds of rows',
      '[1, [2]]',
      'Result [1] of run() is a list and result [0] is a value: return rows of one kind.',
    ],
    [
      'a missing key',
      '[{ a: 1, b: 1 }, { a: 1 }]',
      "Result [1] of run() has no key 'b', which result [0] has: return objects with the same keys, or set outputColumns.",
    ],
    [
      'another key',
      '[{ a: 1 }, { a: 1, c: 2 }]',
      "Result [1] of run() has the key 'c', which result [0] does not have: return",
    ],
  ];
  it.each(cases)('%s', async (_, expression, message) => {
    const failure = await returning(expression).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(String(failure)).toContain(message);
    expect(String(failure)).not.toContain('\n');
  });

  it('other lengths than outputColumns', async () => {
    await expect(returning('[[1, 2, 3]]', { outputColumns: ['a', 'b'] })).rejects.toThrow(
      'Result [0] of run() has 3 values, outputColumns names 2: return lists of one length.',
    );
    await expect(returning('[1]', { outputColumns: ['a', 'b'] })).rejects.toThrow(
      'Result [0] of run() is a value, and outputColumns names 2 columns: return lists or objects.',
    );
  });
});

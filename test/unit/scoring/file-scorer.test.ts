import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { parseMlmodel } from '../../../shared/scoring/mlmodel.ts';
import type { ElementType, Graph } from './onnx-graph.ts';
import { inputsNamed, scoreText } from './score-text.ts';

/** Gives its matrix back. */
const matrix = (type: ElementType, width: number, rows: number | string = 'N'): Graph => ({
  nodes: [{ op: 'Identity', in: ['x'], out: ['y'] }],
  inputs: [{ name: 'x', type, shape: [rows, width] }],
  outputs: [{ name: 'y', type, shape: [rows, width] }],
});

/** One input per column; each comes out as `out_<name>`. */
const perColumn = (columns: Record<string, ElementType>): Graph => ({
  nodes: Object.keys(columns).map((name) => ({ op: 'Identity', in: [name], out: [`out_${name}`] })),
  inputs: Object.entries(columns).map(([name, type]) => ({ name, type, shape: ['N', 1] })),
  outputs: Object.entries(columns).map(([name, type]) => ({ name: `out_${name}`, type, shape: ['N', 1] })),
});

describe.each(['test/fixtures/models/matrix', 'test/fixtures/models/one-input-per-column'])('%s', (folder) => {
  const content = readFileSync(`${folder}/sample.csv`);
  const { onnxPath, signature } = parseMlmodel(readFileSync(`${folder}/MLmodel`, 'utf8'));
  const graph = readFileSync(`${folder}/${onnxPath}`);
  const [, ...expected]: string[][] = parse(readFileSync(`${folder}/expected.csv`));

  test.each([1, 7, 65536])('answers what ONNX Runtime in Python answers, in chunks of %d', async (chunk) => {
    const { lines, rows, failures } = await scoreText(content, { graph, signature, chunk, name: 'sub folder/ü,1.csv' });
    expect({ rows, failures }).toEqual({ rows: expected.length, failures: [] });
    const records: string[][] = parse(lines.join('\n'));
    records.forEach(([file, row, label, ...probabilities], index) => {
      const [wantedLabel, ...wanted] = expected[index] as string[];
      expect([file, row, label]).toEqual(['sub folder/ü,1.csv', String(index), wantedLabel]);
      probabilities.forEach((text, i) => expect(Number(text)).toBeCloseTo(Number(wanted[i]), 6));
    });
  });
});

describe('columns', () => {
  const graph = matrix('float32', 2);
  const signature = inputsNamed('a', 'b');

  test.each([
    ['in the order of the signature', 'a,b\n1,2\n', ['f,0,1,2']],
    ['in any order, among others, with spaces', 'z,b, a \nq,2,1\n', ['f,0,1,2']],
    ['under other names, by place', 'p,q\n1,2\n', ['f,0,1,2']],
    ['of an empty file', '', []],
    ['of a file with a header alone', 'b,a\n', []],
    ['of a file with a header alone that has no line end', 'b,a', []],
    ['of a file of blank lines', '\n\n', []],
  ])('%s', async (_, content, lines) => {
    expect(await scoreText(content, { graph, signature })).toMatchObject({ lines, rows: lines.length, failures: [] });
  });

  test('are taken in order from a file without a header', async () => {
    const { lines, failures } = await scoreText('1,2\n3,4,5\n6,7', { graph, signature, options: { csvHeader: false } });
    expect(lines).toEqual(['f,0,1,2', 'f,2,6,7']);
    expect(failures).toEqual([
      { row: 1, line: 2, offset: 4, code: 'TooManyColumns', reason: 'The record has 3 cells, expected 2.' },
    ]);
  });

  test.each([
    ['a,c\n1,2\n', "The header lacks columns of the model: 'b'."],
    ['c\n1\n', "The header lacks columns of the model: 'a', 'b'."],
  ])('missing in %j fail the file', async (content, message) => {
    await expect(scoreText(content, { graph, signature })).rejects.toMatchObject({
      name: 'FileFault',
      code: 'MissingColumns',
      line: 1,
      message,
    });
  });

  test('missing are named, five at most', async () => {
    const wide = { graph: matrix('float32', 8), signature: inputsNamed('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') };
    await expect(scoreText('h\n1\n', wide)).rejects.toThrow("'a', 'b', 'c', 'd', 'e' and 2 more.");
  });

  test('without names must be as many as the model takes', async () => {
    await expect(scoreText('h\n1\n', { graph })).rejects.toMatchObject({
      code: 'MissingColumns',
      message: 'The header has 1 columns; the model takes 2 and names none of them.',
    });
  });

  test('named twice fail the file', async () => {
    await expect(scoreText('a,b,a\n1,2,3\n', { graph, signature })).rejects.toMatchObject({ code: 'DuplicateColumn' });
  });

  test('of one input each bind by the names of the graph, whatever the order of the signature', async () => {
    const graph = perColumn({ a: 'float32', b: 'string' });
    const { lines } = await scoreText('b,a\nx,1\n', { graph, signature: inputsNamed('b', 'a') });
    expect(lines).toEqual(['f,0,1,x']);
  });
});

describe('types', () => {
  test('every type that CSV can feed comes through exactly', async () => {
    const graph = perColumn({ f: 'float32', d: 'float64', i: 'int32', l: 'int64', b: 'bool', s: 'string' });
    const content = [
      'f,d,i,l,b,s',
      '0.96,0.1234567890123456789,-7,9223372036854775807,true,plain',
      '1e-3,1e300,2147483647,-9007199254740993,False,"a ""b"", c"',
      ' inf ,-inf,5.0,3000000000,1,',
    ].join('\n');
    expect(await scoreText(content, { graph })).toMatchObject({
      lines: [
        'f,0,0.96,0.12345678901234568,-7,9223372036854775807,true,plain',
        'f,1,0.001,1e+300,2147483647,-9007199254740993,false,"a ""b"", c"',
        'f,2,inf,-inf,5,3000000000,true,',
      ],
      rows: 3,
      failures: [],
    });
  });

  test.each(['float64', 'int64', 'int32'] as const)('a matrix of %s', async (type) => {
    const { lines } = await scoreText('a,b\n1,2\n3,-4\n', { graph: matrix(type, 2) });
    expect(lines).toEqual(['f,0,1,2', 'f,1,3,-4']);
  });

  test('records that cannot be fed fail with row, line, column and value; the others are scored', async () => {
    const graph = perColumn({ f: 'float32', i: 'int32', b: 'bool', s: 'string' });
    const content = Buffer.concat([
      Buffer.from('f,i,b,s\n1,2,true,ok\n,2,true,ok\nNA,2,true,ok\nx1,2,true,ok\n0x10,2,true,ok\n'),
      Buffer.from('1,2.5,true,ok\n1,2147483648,true,ok\n1,2,maybe,ok\n1,2,true\n"1"z,2,true,ok\n1,2,true,'),
      Buffer.from([0xff]),
      Buffer.from(`\n${'9'.repeat(50)}a,2,true,ok\n2,3,0,"two\nlines"\n,,,\n`),
    ]);
    const { lines, rows, failures } = await scoreText(content, { graph });
    expect({ lines, rows }).toEqual({ lines: ['f,0,1,2,true,ok', 'f,12,2,3,false,"two', 'lines"'], rows: 2 });
    expect(failures.map(({ row, line, code, reason }) => [row, line, code, reason])).toEqual([
      [1, 3, 'MissingValue', "Column 'f' has no value."],
      [2, 4, 'MissingValue', "Column 'f' has no value."],
      [3, 5, 'NotANumber', "Column 'f' has 'x1', expected a number."],
      [4, 6, 'NotANumber', "Column 'f' has '0x10', expected a number."],
      [5, 7, 'NotAnInteger', "Column 'i' has '2.5', expected a whole number."],
      [6, 8, 'NotAnInteger', "Column 'i' has '2147483648', which does not fit in 32 bits."],
      [7, 9, 'NotABoolean', "Column 'b' has 'maybe', expected true or false."],
      [8, 10, 'TooFewColumns', 'The record has 3 cells, expected 4.'],
      [9, 11, 'BadQuote', 'Column 1 has text after its closing quote.'],
      [10, 12, 'NotUtf8', "Column 's' is not UTF-8 text."],
      [11, 13, 'NotANumber', `Column 'f' has '${'9'.repeat(40)}…', expected a number.`],
      [13, 16, 'MissingValue', "Column 'f' has no value."],
    ]);
  });

  test('missing values reach a model that takes NaN, in columns of floats only', async () => {
    const graph = perColumn({ f: 'float32', d: 'float64', i: 'int64' });
    const { lines, failures } = await scoreText('f,d,i\n,NA,1\n1,nan,\n', { graph, options: { missing: 'nan' } });
    expect(lines).toEqual(['f,0,nan,nan,1']);
    expect(failures).toEqual([
      { row: 1, line: 3, offset: 12, code: 'MissingValue', reason: "Column 'i' has no value." },
    ]);
  });
});

describe('batches', () => {
  test('rows beyond one batch keep their order and numbers, with failures between', async () => {
    const values = Array.from({ length: 10_000 }, (_, i) => (i % 1000 === 999 ? 'bad' : String(i)));
    const { lines, rows, failures } = await scoreText(`a\n${values.join('\n')}\n`, { graph: matrix('float32', 1) });
    expect(rows).toBe(9990);
    expect(lines).toEqual(values.flatMap((value, row) => (value === 'bad' ? [] : [`f,${row},${row}`])));
    expect(failures.map(({ row }) => row)).toEqual([999, 1999, 2999, 3999, 4999, 5999, 6999, 7999, 8999, 9999]);
  });

  test('a file of nothing but bad records is failures only', async () => {
    const { lines, rows, failures } = await scoreText(`a\n${'x\n'.repeat(5000)}`, { graph: matrix('float32', 1) });
    expect({ lines, rows, failures: failures.length, last: failures.at(-1)?.line }).toEqual({
      lines: [],
      rows: 0,
      failures: 5000,
      last: 5001,
    });
  });

  test.each([1, 4])('a graph for %d records at a time scores any number', async (size) => {
    const { lines } = await scoreText('a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n', { graph: matrix('float32', 2, size) });
    expect(lines).toEqual(['f,0,1,2', 'f,1,3,4', 'f,2,5,6', 'f,3,7,8', 'f,4,9,10']);
  });

  test('a record that the model refuses fails alone', async () => {
    const graph: Graph = {
      nodes: [{ op: 'Gather', in: ['table', 'i'], out: ['y'] }],
      inputs: [{ name: 'i', type: 'int64', shape: ['N', 1] }],
      outputs: [{ name: 'y', type: 'float32', shape: ['N', 1] }],
      constants: { table: { dims: [3], data: [10, 20, 30] } },
    };
    const { lines, failures } = await scoreText('i\n0\n1\n7\n2\n', { graph });
    expect(lines).toEqual(['f,0,10', 'f,1,20', 'f,3,30']);
    expect(failures).toMatchObject([{ row: 2, line: 4, offset: 6, code: 'ModelError' }]);
    expect(failures[0]?.reason).toContain('The model refused the record: ');
  });

  test('long texts end a batch early, so that memory stays bounded', async () => {
    const text = 'x'.repeat(900_000);
    const graph = perColumn({ s: 'string' });
    const { lines, parts } = await scoreText(`s\n${`${text}\n`.repeat(25)}`, { graph });
    expect(lines).toEqual(Array.from({ length: 25 }, (_, row) => `f,${row},${text}`));
    expect(parts).toBe(3);
  });

  test('the format of azureml has single spaces and no quotes but where they are needed', async () => {
    const { lines } = await scoreText('a,s\n0.5,x y\n1,z\n', {
      graph: perColumn({ a: 'float32', s: 'string' }),
      options: { outputFormat: 'azureml' },
      name: 'in put.csv',
    });
    expect(lines).toEqual(['"in put.csv" 0 0.5 "x y"', '"in put.csv" 1 1 z']);
  });
});

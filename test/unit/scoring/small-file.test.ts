import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import type { FileToScore } from '../../../shared/scoring/engine.ts';
import { engineOf, scoreParts, usable } from './engines.ts';

/** A file whose bytes are there, and which cannot be read otherwise. */
function small(name: string, bytes: Uint8Array, part?: FileToScore['part']): FileToScore {
  const asked = () => Promise.reject(new Error('the file was asked for'));
  const body = { [Symbol.asyncIterator]: () => ({ next: asked }) };
  return { name, length: bytes.length, bytes, body, range: asked, part };
}

const parquet = (rows: number): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: ['a', 'b'].map((name) => ({ name, data: Array<number>(rows).fill(1), type: 'DOUBLE' as const })),
    }),
  );

describe('a file that comes with its bytes', () => {
  test.each([
    ['f', Buffer.from('a,b\n1,2\n')],
    ['f', Buffer.from('xxa,b\n1,2\nyy').subarray(2, -2)],
    ['f', new Uint8Array(new SharedArrayBuffer(8)).map((_, at) => 'a,b\n1,2\n'.charCodeAt(at))],
    ['f.csv.gz', gzipSync('a,b\n1,2\n')],
    ['f.jsonl', Buffer.from('{"a":1,"b":2}\n')],
  ])('is scored without asking for more (%s)', async (name, bytes) => {
    const engine = await engineOf();
    const expected = { ...usable, text: usable.text.replace('f', name) };
    expect(await scoreParts(engine, small(name, bytes))).toEqual(expected);
    expect(await scoreParts(engine, small('f', Buffer.from('a,b\n1,2\n')))).toEqual(usable);
  });

  test('of Parquet is read in pieces of them', async () => {
    const engine = await engineOf();
    expect(await scoreParts(engine, small('f.parquet', parquet(2)))).toMatchObject({
      text: 'f.parquet,0,1,1\nf.parquet,1,1,1\n',
    });
  });

  test('has more parts than one', async () => {
    const engine = await engineOf();
    const rows = 30_000;
    const { text, ...counts } = await scoreParts(engine, small('f', Buffer.from(`a,b\n${'1,2\n'.repeat(rows)}`)));
    expect(counts).toEqual({ rows, failures: [] });
    expect(text).toBe(Array.from({ length: rows }, (_, row) => `f,${row},1,2\n`).join(''));
  });

  test('is a range behind its head', async () => {
    const engine = await engineOf();
    const part = { row: 2, records: 1, from: 12, line: 4, headBytes: 4 };
    expect(await scoreParts(engine, small('f', Buffer.from('b,a\n5,6\n'), part))).toMatchObject({ text: 'f,2,6,5\n' });
  });

  test.each(['', 'a,b\n'])('without a record gives no part: %j', async (text) => {
    const engine = await engineOf();
    expect(await scoreParts(engine, small('f', Buffer.from(text)))).toEqual({ text: '', rows: 0, failures: [] });
  });

  test('at fault throws it, and the thread goes on', async () => {
    const engine = await engineOf();
    await expect(scoreParts(engine, small('f', Buffer.from('a,c\n1,2\n')))).rejects.toMatchObject({
      name: 'FileFault',
      code: 'MissingColumns',
    });
    expect(await scoreParts(engine, small('f', Buffer.from('a,b\n1,2\n')))).toEqual(usable);
  });
});

test('ranges that are views on the pool of Node are scored', async () => {
  const engine = await engineOf();
  const bytes = parquet(2);
  const { name, length, body } = small('f.parquet', bytes);
  const range = async (offset: number, count: number) => Buffer.concat([bytes.subarray(offset, offset + count)]);
  expect(await scoreParts(engine, { name, length, body, range })).toMatchObject({ rows: 2, failures: [] });
});

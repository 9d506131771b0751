import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { FileFault } from '../../../shared/formats/file-fault.ts';
import { asParquet } from '../../contract/record-tables.ts';
import { engineOf, scoreParts, usable } from './engines.ts';

const MIB = 1024 * 1024;

/** What the errors file would say of a file, as the scoring step hears it. `limit`: bytes that may be read before it is heard. */
async function failuresOf(name: string, content: string | Uint8Array | AsyncIterable<Uint8Array>, limit = Infinity) {
  const engine = await engineOf();
  let bytesRead = 0;
  const whole = typeof content === 'string' ? Buffer.from(content) : content;
  async function* body() {
    for await (const chunk of whole instanceof Uint8Array ? [whole] : whole) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }
  const stored = whole instanceof Uint8Array ? whole : new Uint8Array();
  const range = async (offset: number, count: number) => Uint8Array.from(stored.subarray(offset, offset + count));
  let failures;
  try {
    ({ failures } = await scoreParts(engine, { name, length: stored.length, body: body(), range }));
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    failures = [{ code: error.code, line: error.line, offset: error.offset }];
  }
  expect(bytesRead).toBeLessThan(limit);
  return failures.map(({ code, line, offset }) => ({ code, line, offset }));
}

async function* repeated(first: string, block: Uint8Array, bytes: number) {
  yield Buffer.from(first);
  for (let sent = 0; sent < bytes; sent += block.length) yield block;
}

test('an unclosed quote at the end of a large file stops at the longest record, not at the end of the file', async () => {
  const block = Buffer.from('1,2\n'.repeat(16384));
  async function* content() {
    yield* repeated('a,b\n', block, 2 * MIB);
    yield* repeated('"', block, 1024 * MIB);
  }
  expect(await failuresOf('f.csv', content(), 7 * MIB)).toEqual([
    { code: 'RecordTooLong', line: 1 + (2 * MIB) / 4 + 1, offset: 4 + 2 * MIB },
  ]);
});

test.each(['f.csv', 'f.jsonl'])('a line of 100 MB is given up at the longest record: %s', async (name) => {
  const content = repeated(name === 'f.csv' ? 'a,b\n1,2\n' : '[1,2]\n[3,4]\n', Buffer.alloc(65536, '1'), 100e6);
  expect(await failuresOf(name, content, 6 * MIB)).toEqual([
    { code: 'RecordTooLong', line: 3, offset: name === 'f.csv' ? 8 : 12 },
  ]);
});

test('a gzip bomb is stopped', async () => {
  const bomb = Buffer.concat([gzipSync('a,b\n'), gzipSync(Buffer.alloc(100 * MIB, `${'1'.repeat(4095)}\n`))]);
  const [failure] = await failuresOf('f.csv.gz', bomb);
  expect(failure?.code).toBe('GzipBomb');
  expect(failure?.offset).toBeGreaterThanOrEqual(63 * MIB);
});

describe('a file', () => {
  const parquet = asParquet({
    columns: [
      { name: 'a', type: 'float32' },
      { name: 'b', type: 'float32' },
    ],
    records: Array.from({ length: 5000 }, (_, row) => [row, row / 3]),
  }).bytes;
  const columnsLost = { code: 'MissingColumns', line: 1, offset: 0 };

  test.each<[string, string, string | Uint8Array, unknown[]]>([
    ['that is a truncated Parquet file', 'f.parquet', parquet.subarray(0, 20_000), [{ code: 'NotParquet' }]],
    ['that is truncated gzip', 'f.csv.gz', gzipSync('a,b\n1,2\n').subarray(0, 20), [{ code: 'BadGzip', offset: 8 }]],
    ['with a NUL byte', 'f.csv', 'a,b\n1,2\n3,\0\n', [{ code: 'NotCsv', line: 3, offset: 8 }]],
    ['with a NUL byte', 'f.jsonl', '[1,2]\n[3,\0]\n', [{ code: 'NotJson', line: 2, offset: 6 }]],
    ['with mixed line ends', 'f.csv', 'a,b\r\n1,2\n3,x\r5,6\r\n', [{ code: 'NotANumber', line: 3, offset: 9 }]],
    ['with another header', 'f.csv', 'a,c\n1,2\n', [columnsLost]],
    ['with another header', 'f.jsonl', '{"a":1,"c":2}\n', [{ code: 'MissingValue', line: 1, offset: 0 }]],
    ['with a number that is not one', 'f.csv', 'a,b\n1,2\n3,4x\n', [{ code: 'NotANumber', line: 3, offset: 8 }]],
    [
      'with a number that the model cannot hold',
      'f.csv',
      'a,b\n1,2\n3,1e400\n3,1e39\n',
      [
        { code: 'NumberOutOfRange', line: 3, offset: 8 },
        { code: 'NumberOutOfRange', line: 4, offset: 16 },
      ],
    ],
    [
      'with bytes that are not UTF-8',
      'f.csv',
      Buffer.from('a,b\n1,\xff\n', 'latin1'),
      [{ code: 'NotUtf8', line: 2, offset: 4 }],
    ],
    [
      'with a header that is not UTF-8',
      'f.csv',
      Buffer.from('a,\xff\n', 'latin1'),
      [{ code: 'NotCsv', line: 1, offset: 0 }],
    ],
    ['whose last quote is open', 'f.csv', 'a,b\n1,"2\n', [{ code: 'UnterminatedQuote', line: 2, offset: 4 }]],
    ['that is empty', 'f.csv', '', []],
    ['that is empty', 'f.jsonl', '', []],
    ['that is empty', 'f.parquet', '', [{ code: 'NotParquet' }]],
    ['with a header alone', 'f.csv', 'a,b\n', []],
  ])('%s (%s)', async (_, name, content, expected) => {
    expect(await failuresOf(name, content)).toEqual(expected);
  });

  test('of Parquet is scored in a thread, by ranges', async () => {
    const engine = await engineOf();
    const range = async (offset: number, count: number) => Buffer.from(parquet).subarray(offset, offset + count);
    async function* body(): AsyncGenerator<Uint8Array> {
      throw new Error('the stream was begun');
    }
    const file = { name: 'f.parquet', length: parquet.length, body: body(), range };
    const { text, rows, failures } = await scoreParts(engine, file);
    expect({ rows, failures }).toEqual({ rows: 5000, failures: [] });
    expect(text.split('\n')[3]).toBe(`f.parquet,3,3,1`);
    const lost = new Error('connection lost');
    await expect(scoreParts(engine, { ...file, range: () => Promise.reject(lost) })).rejects.toBe(lost);
    async function* again() {
      yield gzipSync('a,b\n1,2\n');
    }
    expect(await scoreParts(engine, { name: 'f', contentEncoding: 'gzip', length: 1, body: again(), range })).toEqual(
      usable,
    );
  });
});

import { expect, test } from 'vitest';
import { formatOf } from '../../../shared/formats/file-format.ts';
import { readRecords } from '../../support/read-records.ts';

test.each([
  ['a.csv', undefined, 'csv', false],
  ['a.txt', undefined, 'csv', false],
  ['part-0000', undefined, 'csv', false],
  ['v1.2/part', undefined, 'csv', false],
  ['a.CSV.GZ', undefined, 'csv', true],
  ['a.gz', undefined, 'csv', true],
  ['a.csv', 'gzip', 'csv', true],
  ['a.csv.gz', 'GZIP', 'csv', true],
  ['a.jsonl', 'x-gzip', 'jsonl', true],
  ['a.ndjson', undefined, 'jsonl', false],
  ['a.json', undefined, 'jsonl', false],
  ['x/A.JSONL.gz', undefined, 'jsonl', true],
  ['a.parquet', undefined, 'parquet', false],
  ['a.snappy.pqt', undefined, 'parquet', false],
] as const)('%s with Content-Encoding %s', (name, encoding, kind, gzip) => {
  expect(formatOf(name, encoding)).toEqual({ kind, gzip });
});

const columns = [{ name: 'a', type: 'float32' }] as const;
const parquetStart = Buffer.from('PAR1\x15\x04\x15\x10');
const gzipStart = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);

test.each([
  ['a.csv', parquetStart, 'NotCsv', 'The file is Parquet; its name must end in .parquet.'],
  ['a.jsonl', parquetStart, 'NotJsonl', 'The file is Parquet; its name must end in .parquet.'],
  ['a.csv', gzipStart, 'NotCsv', 'The file is gzip; its name must end in .gz, or its Content-Encoding be gzip.'],
  ['a.jsonl', gzipStart, 'NotJsonl', 'The file is gzip; its name must end in .gz, or its Content-Encoding be gzip.'],
  ['a.parquet', Buffer.from('a\n1\n2\n3\n4\n5\n'), 'NotParquet', 'must start and end with PAR1'],
  ['a.parquet.gz', gzipStart, 'UnsupportedEncoding', 'store it unpacked'],
])('%s that is another format by its first bytes', async (name, bytes, code, message) => {
  const reading = readRecords(name, bytes, { columns });
  await expect(reading).rejects.toMatchObject({ name: 'FileFault', code });
  await expect(reading).rejects.toThrow(message);
});

test('a header may begin with the letters that mark Parquet', async () => {
  const { records } = await readRecords('a.csv', Buffer.from('PAR1,a\n0,1\n'), { columns });
  expect(records).toEqual([{ row: 0, values: [1] }]);
});

import zlib from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { parquetReader } from '../../../shared/formats/parquet-reader.ts';
import { CellKind, type RecordTarget } from '../../../shared/formats/record-target.ts';
import { asParquet } from '../../contract/record-tables.ts';
import { memorySource } from '../../support/memory-source.ts';
import { readRecords, type HowToRead } from '../../support/read-records.ts';

type Written = Parameters<typeof parquetWriteBuffer>[0];

const write = (options: Written): Uint8Array => new Uint8Array(parquetWriteBuffer(options));
const read = (bytes: Uint8Array, columns: HowToRead['columns'], capacity = 4096) =>
  readRecords('f.parquet', bytes, { columns, capacity });
const valuesOf = async (...args: Parameters<typeof read>) => (await read(...args)).records.map(({ values }) => values);

/** 20,000 records of which a compressed page is a part. */
const many = (options: Partial<Written> = {}) =>
  write({
    columnData: [
      { name: 'x', data: Array.from({ length: 20_000 }, (_, row) => row / 3), type: 'DOUBLE' },
      { name: 'note', data: Array.from({ length: 20_000 }, (_, row) => `unwanted ${row}`), type: 'STRING' },
      { name: 't', data: Array.from({ length: 20_000 }, (_, row) => `text ${row % 7}`), type: 'STRING' },
    ],
    ...options,
  });
const manyColumns = [
  { name: 't', type: 'string' },
  { name: 'x', type: 'float64' },
] as const;
const manyValues = Array.from({ length: 20_000 }, (_, row) => [`text ${row % 7}`, row / 3]);

describe('types', () => {
  test('decimals are exact, whatever they are stored as', async () => {
    const decimal = { converted_type: 'DECIMAL', scale: 2, precision: 9 } as const;
    const bytes = write({
      columnData: [
        { name: 'i', data: [12.34, -0.05, null] },
        { name: 'l', data: [30n, 9007199254740993n, 0n] },
      ],
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'i', type: 'INT32', repetition_type: 'OPTIONAL', ...decimal },
        { name: 'l', type: 'INT64', repetition_type: 'REQUIRED', ...decimal, precision: 18 },
      ],
    });
    const columns = [
      { name: 'i', type: 'string' },
      { name: 'l', type: 'float64' },
    ] as const;
    expect(await valuesOf(bytes, columns)).toEqual([
      ['12.34', 0.3],
      ['-0.05', 90071992547409.93],
      ['', 0],
    ]);
  });

  test('unsigned integers and half floats', async () => {
    const bytes = write({
      columnData: [
        { name: 'u', data: [4294967295, 7] },
        { name: 'w', data: [18446744073709551615n, 1n] },
        { name: 'h', data: [1.5, -0.25] },
        { name: 'f', data: [0.1, 16777216] },
      ],
      schema: [
        { name: 'root', num_children: 4 },
        { name: 'u', type: 'INT32', converted_type: 'UINT_32', repetition_type: 'REQUIRED' },
        { name: 'w', type: 'INT64', converted_type: 'UINT_64', repetition_type: 'REQUIRED' },
        {
          name: 'h',
          type: 'FIXED_LEN_BYTE_ARRAY',
          type_length: 2,
          logical_type: { type: 'FLOAT16' },
          repetition_type: 'REQUIRED',
        },
        { name: 'f', type: 'FLOAT', repetition_type: 'REQUIRED' },
      ],
    });
    const columns = [
      { name: 'u', type: 'float64' },
      { name: 'w', type: 'string' },
      { name: 'h', type: 'float32' },
      { name: 'f', type: 'string' },
    ] as const;
    expect(await valuesOf(bytes, columns)).toEqual([
      [4294967295, '18446744073709551615', 1.5, '0.1'],
      [7, '1', -0.25, '16777216'],
    ]);
  });

  test.each([
    ['DATE', { data: [1], schema: { type: 'INT32', converted_type: 'DATE' } }],
    ['TIMESTAMP_MILLIS', { data: [1n], schema: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' } }],
  ] as const)(
    'a %s fails the file when the model wants it, and is passed over otherwise',
    async (type, { data, schema }) => {
      const bytes = write({
        columnData: [
          { name: 'when', data: [...data] },
          { name: 'x', data: [2] },
        ],
        schema: [
          { name: 'root', num_children: 2 },
          { name: 'when', repetition_type: 'REQUIRED', ...schema },
          { name: 'x', type: 'DOUBLE', repetition_type: 'REQUIRED' },
        ],
      });
      expect(await valuesOf(bytes, [{ name: 'x', type: 'float64' }])).toEqual([[2]]);
      await expect(read(bytes, [{ name: 'when', type: 'float64' }])).rejects.toMatchObject({
        name: 'FileFault',
        code: 'UnsupportedColumn',
        message: `Column 'when' is of Parquet's type ${type}; numbers, decimals, booleans and strings can be read.`,
      });
    },
  );

  test('a nested column fails the file when the model wants it, and is passed over otherwise', async () => {
    const bytes = write({
      columnData: [
        { name: 'list', data: [[1, 2], [3]] },
        { name: 'x', data: [1, 2] },
      ],
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'list', converted_type: 'LIST', num_children: 1, repetition_type: 'REQUIRED' },
        { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
        { name: 'element', type: 'INT32', repetition_type: 'REQUIRED' },
        { name: 'x', type: 'DOUBLE', repetition_type: 'REQUIRED' },
      ],
    });
    expect(await valuesOf(bytes, [{ name: 'x', type: 'float64' }])).toEqual([[1], [2]]);
    await expect(read(bytes, [{ name: 'list', type: 'float64' }])).rejects.toMatchObject({ code: 'NestedColumn' });
  });
});

describe('pages', () => {
  const compressors = {
    GZIP: (bytes: Uint8Array) => new Uint8Array(zlib.gzipSync(bytes)),
    ZSTD: (bytes: Uint8Array) => new Uint8Array(zlib.zstdCompressSync(bytes)),
    BROTLI: (bytes: Uint8Array) => new Uint8Array(zlib.brotliCompressSync(bytes)),
  };
  test.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD', 'BROTLI'] as const)('in %s', async (codec) => {
    const bytes = many({ codec, compressors, pageSize: 10_000, rowGroupSize: 7000 });
    expect(await valuesOf(bytes, manyColumns, 1000)).toEqual(manyValues);
  });

  test('of a small row group come by one request, and the stream is never begun', async () => {
    const { source } = await read(many({ rowGroupSize: 10_000, pageSize: 10_000 }), manyColumns);
    expect(source.asked.chunks).toBe(0);
    expect(source.asked.ranges.length).toBeLessThanOrEqual(3);
  });

  test('of a row group too large to be fetched at once are read a piece at a time', async () => {
    const rows = 1_500_000;
    const data = Float64Array.from({ length: rows }, (_, row) => Math.sin(row));
    const bytes = write({
      columnData: [{ name: 'x', data, type: 'DOUBLE', encoding: 'PLAIN' }],
      codec: 'UNCOMPRESSED',
      rowGroupSize: rows,
      pageSize: 100_000,
    });
    const source = memorySource(bytes);
    let sum = 0;
    const values = new Float64Array(4096);
    const target: RecordTarget = {
      wanted: ['x'],
      open: () => ({
        width: 1,
        kinds: Uint8Array.of(CellKind.Decimal),
        base: new Int32Array(1),
        step: Int32Array.of(1),
        values,
      }),
      cell: () => undefined,
      kept: (slot) => slot + 1 >= 4096,
      failed: () => false,
    };
    const reader = parquetReader(source, target);
    for (let last = false; !last;) {
      const batch = await reader.read();
      for (let slot = 0; slot < batch.records; slot++) sum += values[slot] ?? 0;
      last = batch.last;
    }
    expect(sum).toBe(data.reduce((total, value) => total + value, 0));
    expect(Math.max(...source.asked.ranges.map(([, count]) => count))).toBeLessThanOrEqual(1024 * 1024 + 200_000);
  });
});

describe('files at fault', () => {
  const bytes = many();
  const half = bytes.subarray(0, bytes.length / 2);
  test.each([
    ['an empty file', new Uint8Array(), 'NotParquet'],
    ['another format', Buffer.from('x,t\n1,hello there\n'), 'NotParquet'],
    ['a file cut in the middle', half, 'NotParquet'],
    ['a file cut in the middle with its footer', Buffer.concat([half, bytes.subarray(-3000)]), 'BadParquet'],
    [
      'a footer longer than the file',
      Buffer.concat([Buffer.from('PAR1'), Buffer.from([0xff, 0xff, 0xff, 0x7f]), Buffer.from('PAR1')]),
      'BadParquet',
    ],
    [
      'a footer of nonsense',
      Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(50, 0x5c), Buffer.from([50, 0, 0, 0]), Buffer.from('PAR1')]),
      'BadParquet',
    ],
    ['an encrypted file', Buffer.concat([bytes.subarray(0, -4), Buffer.from('PARE')]), 'NotParquet'],
  ])('%s', async (_, content, code) => {
    await expect(read(content, manyColumns)).rejects.toMatchObject({ name: 'FileFault', code });
  });

  test('a footer that is not as it was written is a fault of the file or other values, never another error', async () => {
    let seed = 3;
    const next = (below: number) => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 8) % below;
    const small = asParquet({
      columns: [...manyColumns],
      records: Array.from({ length: 50 }, (_, row) => [`text ${row % 7}`, row / 3]),
    }).bytes;
    const footer = Buffer.from(small).readUInt32LE(small.length - 8);
    let faults = 0;
    for (let i = 0; i < 500; i++) {
      const damaged = Uint8Array.from(small);
      for (let k = 0; k <= next(3); k++) damaged[small.length - 1 - next(footer + 8)] = next(256);
      try {
        await read(damaged, manyColumns);
      } catch (error) {
        expect(error).toMatchObject({ name: 'FileFault' });
        faults++;
      }
    }
    expect(faults).toBeGreaterThan(100);
  });

  test.each(['UNCOMPRESSED', 'SNAPPY'] as const)(
    'a run of a hundred million values in a page of a few is never begun (%s)',
    async (codec) => {
      const small = write({
        codec,
        columnData: [
          {
            name: 't',
            data: Array.from({ length: 40 }, (_, row) => (row < 20 ? null : `text ${row % 2}`)),
            type: 'STRING',
          },
          { name: 'b', data: Array.from({ length: 40 }, (_, row) => (row < 20 ? null : true)), type: 'BOOLEAN' },
        ],
      });
      const columns = [
        { name: 't', type: 'string' },
        { name: 'b', type: 'bool' },
      ] as const;
      const footer = Buffer.from(small).readUInt32LE(small.length - 8);
      let faults = 0;
      for (let at = 4; at < small.length - footer - 8 - 4; at++) {
        const damaged = Uint8Array.from(small);
        damaged.set([0xfe, 0xff, 0xff, 0x7f], at);
        try {
          expect((await read(damaged, columns)).records.length).toBeLessThanOrEqual(40);
        } catch (error) {
          expect(error).toMatchObject({ name: 'FileFault' });
          faults++;
        }
      }
      expect(faults).toBeGreaterThan(20);
    },
  );
});

describe('a bomb', () => {
  const ZEROS = Buffer.alloc(50e6);

  test.each([
    ['GZIP', zlib.gzipSync(ZEROS)],
    ['BROTLI', zlib.brotliCompressSync(ZEROS, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } })],
    ['ZSTD', zlib.zstdCompressSync(ZEROS)],
  ] as const)('of %s is stopped at the size that its page announces', async (codec, packed) => {
    const columnData = [{ name: 'a', data: Array.from({ length: 1000 }, (_, row) => row + 0.5) }];
    const file = write({ columnData, codec, compressors: { [codec]: () => packed } });
    await expect(read(file, [{ name: 'a', type: 'float64' }])).rejects.toMatchObject({ code: 'BadParquet' });
  });

  test('that announces more than a page may have is not unpacked', async () => {
    const columnData = [{ name: 'a', data: new Float64Array(9e6), encoding: 'PLAIN' as const }];
    const file = write({
      columnData,
      codec: 'GZIP',
      compressors: { GZIP: (input) => zlib.gzipSync(input, { level: 1 }) },
      pageSize: 1e9,
      rowGroupSize: 1e9,
    });
    expect(file.byteLength).toBeLessThan(1e6);
    await expect(read(file, [{ name: 'a', type: 'float64' }])).rejects.toMatchObject({ code: 'PageTooLarge' });
  });
});

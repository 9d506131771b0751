import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it, test } from 'vitest';
import type { FileSplit, PartLimit } from '../../../shared/domain/file-ranges.ts';
import { HeadFault, type FilePart } from '../../../shared/formats/file-part.ts';
import { FileFault } from '../../../shared/formats/file-fault.ts';
import { countAndSplit } from '../../../shared/formats/split-file.ts';
import { memorySource } from '../../support/memory-source.ts';
import { readRecords, type HowToRead } from '../../support/read-records.ts';

const CSV = { delimiter: ',', header: true };

/** A file's parts with the bytes that are read for each. */
function partsOf(bytes: Uint8Array, { head, ranges }: FileSplit): { part: FilePart; bytes: Uint8Array }[] {
  return ranges.map((range) => {
    const { row, from, to, line } = range;
    const before = head && row > 0 ? bytes.subarray(head.from, head.to) : new Uint8Array(0);
    const read = line === undefined ? bytes : Buffer.concat([before, bytes.subarray(from, to)]);
    return { part: { ...range, headBytes: before.length }, bytes: read };
  });
}

interface Result {
  records?: Awaited<ReturnType<typeof readRecords>>['records'];
  failures?: Awaited<ReturnType<typeof readRecords>>['failures'];
  fault?: Pick<FileFault, 'code' | 'message' | 'line' | 'offset'>;
}

const readWhole = async (name: string, bytes: Uint8Array, how: HowToRead): Promise<Result> => {
  try {
    const { records, failures } = await readRecords(name, bytes, how);
    return { records, failures };
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    return { fault: { code: error.code, message: error.message, line: error.line, offset: error.offset } };
  }
};

/** Reads a file in the parts that it is cut into, as jobs do; as one where it is not cut. */
async function readInParts(name: string, bytes: Uint8Array, how: HowToRead, limit: PartLimit, chunk: number) {
  const counted = await countAndSplit(
    { name },
    { ...CSV, header: how.header ?? true },
    memorySource(bytes, chunk),
    limit,
  );
  if (!counted?.split) return { parts: 1, counted, result: await readWhole(name, bytes, how) };
  const whole: Required<Pick<Result, 'records' | 'failures'>> & Result = { records: [], failures: [] };
  for (const { part, bytes: own } of partsOf(bytes, counted.split)) {
    try {
      const { records, failures } = await readRecords(name, own, { ...how, part });
      expect(records.length + failures.length).toBe(part.records);
      whole.records.push(...records);
      whole.failures.push(...failures);
    } catch (error) {
      if (error instanceof HeadFault) continue;
      if (!(error instanceof FileFault) || part.row > 0) throw error;
      whole.fault = { code: error.code, message: error.message, line: error.line, offset: error.offset };
    }
  }
  return { parts: counted.split.ranges.length, counted, result: whole.fault ? { fault: whole.fault } : whole };
}

const end = fc.constantFrom('\n', '\n', '\r\n', '\r');
const limits = fc.record({
  unit: fc.constantFrom('records' as const, 'bytes' as const),
  size: fc.integer({ min: 1, max: 40 }),
  most: fc.constant(1000),
});
const cell = fc.oneof(
  fc.constantFrom('1', '-2.5', '', 'x', 'é', 'a"b', ' ', '1e3'),
  fc
    .array(fc.constantFrom('a', '""', ',', '\n', '\r\n', '\r', 'é'), { maxLength: 4 })
    .map((inner) => `"${inner.join('')}"`),
);
/** Rarely what makes a file, or a record, fail. */
const oddCell = fc.oneof(
  { weight: 40, arbitrary: cell },
  { weight: 1, arbitrary: fc.constantFrom('"open', '"a"b', '\0') },
);
const csvLine = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(oddCell, oddCell).map((cells) => cells.join(',')) },
  { weight: 1, arbitrary: fc.constantFrom('', '1', '1,2,3') },
);
const jsonValue = fc.oneof(
  fc.integer(),
  fc.constantFrom('a', 'é\n"', null, true),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const jsonLine = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ a: jsonValue, b: jsonValue }, { requiredKeys: [] }).map((value) => JSON.stringify(value)),
  },
  { weight: 1, arbitrary: fc.constantFrom('', '  ', '[1,2]', 'not json', '{"c":1}') },
);
const text = (line: fc.Arbitrary<string>, header: string) =>
  fc
    .record({
      mark: fc.constantFrom('', '', '\uFEFF'),
      lines: fc.array(fc.tuple(line, end), { maxLength: 12 }),
      header: fc.constantFrom(header, header, header, `\n\n${header}`, 'only', ''),
      last: fc.boolean(),
      firstEnd: end,
    })
    .map(({ mark, lines, header: first, last, firstEnd }) => {
      const body = `${first}${first === '' ? '' : firstEnd}${lines.map((both) => both.join('')).join('')}`;
      return mark + (last ? body : body.replace(/(?:\r\n|\n|\r)$/, ''));
    });

const columns = [
  { name: 'a', type: 'string' },
  { name: 'b', type: 'float64' },
] as const;

describe('a file that is read in parts gives the records, failures and places of the whole', () => {
  test.each([
    ['f.csv', text(csvLine, 'a,b'), true],
    ['f.csv', text(csvLine, '1,2'), false],
    ['f.jsonl', text(jsonLine, '{"a":1,"b":2}'), true],
  ])('%s %#', async (name, content, header) => {
    let cut = 0;
    await fc.assert(
      fc.asyncProperty(content, limits, fc.integer({ min: 1, max: 50 }), async (written, limit, chunk) => {
        const bytes = Buffer.from(written);
        const how = { columns, header, missing: 'nan' as const, capacity: 3 };
        const { parts, result } = await readInParts(name, bytes, how, limit, chunk);
        if (parts > 1) cut++;
        expect(result).toEqual(await readWhole(name, bytes, how));
      }),
      { numRuns: 400, seed: 20_261_121 },
    );
    expect(cut).toBeGreaterThan(100);
  });

  test.each(['\n', '\r\n', '\r'])('records that lie across what is read at once, with line ends %j', async (ends) => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const cells = [() => 'x'.repeat(random(300)), () => `"${`a""${ends}`.repeat(random(90))}"`, () => ''];
    const lines = Array.from({ length: 3000 }, (_, row) => `${cells[random(20) > 1 ? 0 : random(3)]?.()},${row}`);
    const bytes = Buffer.from(['a,b', ...lines].join(ends));
    expect(bytes.length).toBeGreaterThan(5 * 64 * 1024);
    const limit = { unit: 'bytes' as const, size: 50_000, most: 100 };
    const { parts, result, counted } = await readInParts('f.csv', bytes, { columns }, limit, 10_000);
    expect(counted?.records).toBe(3000);
    expect(parts).toBeGreaterThan(5);
    expect(result).toEqual(await readWhole('f.csv', bytes, { columns }));
  });

  test('Parquet, by row groups', async () => {
    const data = Array.from({ length: 100 }, (_, row) => row);
    const bytes = new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'a', data: data.map((row) => `t${row}`), type: 'STRING' },
          { name: 'b', data: data.map((row) => row / 3), type: 'DOUBLE' },
        ],
        rowGroupSize: [7],
      }),
    );
    const whole = await readWhole('f.parquet', bytes, { columns });
    for (const limit of [1, 7, 8, 50, 99, 100, 1000]) {
      const { parts, result, counted } = await readInParts(
        'f.parquet',
        bytes,
        { columns },
        { unit: 'records', size: limit, most: 100 },
        64,
      );
      expect(counted?.records).toBe(100);
      expect(parts).toBe(Math.ceil(15 / Math.ceil(limit / 7)));
      expect(result).toEqual(whole);
    }
    const byBytes = await readInParts('f.parquet', bytes, { columns }, { unit: 'bytes', size: 100, most: 100 }, 64);
    expect(byBytes.parts).toBeGreaterThan(3);
    expect(byBytes.result).toEqual(whole);
  });
});

describe('a file is cut', () => {
  const split = (content: string, size: number, unit: PartLimit['unit'] = 'records') =>
    countAndSplit({ name: 'f.csv' }, CSV, memorySource(Buffer.from(content)), { unit, size, most: 2 });

  it.each([
    ['\n', 1],
    ['\r\n', 2],
    ['\r', 1],
  ])('between plain lines, of which empty ones are none, that end with %j', async (ends, width) => {
    const content = ['a,b', '1,1', '', '2,2', '', '', '3,3', '4,4', ''].join(ends);
    const records = 4;
    const head = { from: 0, to: 3 + width };
    const third = { from: 9 + 6 * width, line: 7 };
    const ranges = [
      { row: 0, records: 2, from: 0, to: third.from, line: 1 },
      { row: 2, records: 2, ...third, to: content.length },
    ];
    expect(await split(content, 2)).toEqual({ records, split: { head, ranges } });
    // The second record starts a byte too early.
    expect(await split(content, 6 + 3 * width + 1, 'bytes')).toEqual({ records, split: { head, ranges } });
    expect(await split(content, 4)).toEqual({ records });
    expect(await split(content, content.length, 'bytes')).toEqual({ records });
  });

  it('before the first record that its range has no room for, whose row, line and offset are known', async () => {
    expect(await split('a,b\n1,"x\ny"\n\n2,2\r\n3,3\n4,4', 2)).toEqual({
      records: 4,
      split: {
        head: { from: 0, to: 4 },
        ranges: [
          { row: 0, records: 2, from: 0, to: 18, line: 1 },
          { row: 2, records: 2, from: 18, to: 25, line: 6 },
        ],
      },
    });
  });

  it.each([
    ['', 0],
    ['a,b\n', 0],
    ['a,b\n1,2', 1],
    ['a,b\n1,2\n3,4\n', 2],
  ])('not at all when one part has room for it: %j', async (content, records) => {
    expect(await split(content, 2)).toEqual({ records });
  });

  it.each([
    ['a quote that is never closed', 'a,b\n1,2\n"3,4\n5,6\n'],
    ['NUL bytes', 'a,b\n1,2\n3,\0\n'],
    ['UTF-16', '\xff\xfea\0'],
    ['a record that is too long', `a,b\n1,2\n${'x'.repeat(1024 * 1024)}\n`],
  ])('not at all when it would fail as a whole: %s', async (_, content) => {
    const source = memorySource(Buffer.from(content, 'latin1'));
    expect(await countAndSplit({ name: 'f.csv' }, CSV, source, { unit: 'records', size: 1, most: 9 })).toBeUndefined();
    expect(source.closed).toBe(true);
  });

  it('not at all when it is no Parquet', async () => {
    const source = memorySource(Buffer.from('PAR1 is how it begins'));
    expect(
      await countAndSplit({ name: 'f.parquet' }, CSV, source, { unit: 'bytes', size: 1, most: 9 }),
    ).toBeUndefined();
  });
});

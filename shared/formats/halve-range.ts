import type { FileRange, FileSplit, PartLimit } from '../domain/file-ranges.ts';
import type { CsvOptions } from './csv-dialect.ts';
import { formatOf } from './file-format.ts';
import type { FileToRead } from './open-records.ts';
import type { RecordSource } from './record-reader.ts';
import { canBeSplit, countAndSplit } from './split-file.ts';

/** Where bytes of a file come from: [from, to), or of a format that is read in pieces the whole of it. */
export type OpenSource = (from: number, to: number) => RecordSource;

/**
 * Cuts a range of a file, or all of it, in about the middle. Undefined where it holds a single record or row group, or cannot be
 * read. Throws the source's own errors.
 */
export async function halveRange(
  file: FileToRead & { readonly length: number; readonly split?: FileSplit | undefined },
  range: FileRange | undefined,
  csv: CsvOptions,
  open: OpenSource,
): Promise<FileSplit | undefined> {
  if (!canBeSplit(file)) return undefined;
  return formatOf(file.name, file.contentEncoding).kind === 'parquet'
    ? halveGroups(file, range, csv, open(0, file.length))
    : halveText(file, range, csv, open);
}

async function halveText(
  file: Parameters<typeof halveRange>[0],
  range: FileRange | undefined,
  csv: CsvOptions,
  open: OpenSource,
): Promise<FileSplit | undefined> {
  const { row, from, to, line = 1 } = range ?? { row: 0, from: 0, to: file.length };
  // Only the first range has the header in it.
  const dialect = { ...csv, header: csv.header && row === 0 };
  const cut = (unit: PartLimit['unit'], size: number) =>
    countAndSplit(file, dialect, open(from, to), { unit, size: Math.max(1, size), most: Infinity });
  let found = await cut('bytes', Math.ceil((to - from) / 2));
  // One that is longer than all before it, and is the last.
  if (found && !found.split && found.records > 1) found = await cut('records', found.records - 1);
  if (!found?.split) return undefined;
  const head = file.split?.head ?? found.split.head;
  const ranges = found.split.ranges.map((half) => ({
    row: row + half.row,
    records: half.records,
    from: from + half.from,
    to: from + half.to,
    ...(half.line !== undefined && { line: line + half.line - 1 }),
  }));
  return { ...(head && { head }), ranges };
}

/** Row groups stay whole. */
async function halveGroups(
  file: FileToRead,
  range: FileRange | undefined,
  csv: CsvOptions,
  source: RecordSource,
): Promise<FileSplit | undefined> {
  const found = await countAndSplit(file, csv, source, { unit: 'records', size: 1, most: Infinity });
  const { row: first, records: all } = range ?? { row: 0, records: Infinity };
  const groups = (found?.split?.ranges ?? []).filter(({ row }) => row >= first && row < first + all);
  if (groups.length < 2) return undefined;
  const middle = Math.ceil(groups.length / 2);
  return { ranges: [joined(groups.slice(0, middle)), joined(groups.slice(middle))] };
}

function joined(groups: readonly FileRange[]): FileRange {
  const [first] = groups;
  const last = groups.at(-1);
  if (!first || !last) throw new Error('a range needs a row group');
  return { row: first.row, records: last.row + last.records - first.row, from: first.from, to: last.to };
}

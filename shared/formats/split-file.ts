import { rangeCutter, type FileSplit, type PartLimit } from '../domain/file-ranges.ts';
import type { CsvOptions } from './csv-dialect.ts';
import { formatOf } from './file-format.ts';
import { FileFault } from './file-fault.ts';
import type { FileToRead } from './open-records.ts';
import { readFooter } from './parquet-footer.ts';
import { rangeReader } from './parquet-ranges.ts';
import type { RecordSource } from './record-reader.ts';
import { walkCsv, walkJsonl } from './record-starts.ts';

/** A file's records, and where they may be cut. */
export interface CountedFile {
  readonly records: number;
  /** Absent when the file is not to be cut: it has at most one part. */
  readonly split?: FileSplit;
}

/** Whether a file can be read in parts; gzip is one stream. */
export const canBeSplit = ({ name, contentEncoding }: FileToRead): boolean => !formatOf(name, contentEncoding).gzip;

/**
 * Counts the records of a file and cuts it where records start: a text is read once, of a Parquet file only the footer, whose row
 * groups stay whole. Undefined for a file whose reading would fail as a whole: it has to be read as one, so that it fails alike.
 * Throws the source's own errors.
 */
export async function countAndSplit(
  file: FileToRead,
  csv: CsvOptions,
  source: RecordSource,
  limit: PartLimit,
): Promise<CountedFile | undefined> {
  try {
    const { kind } = formatOf(file.name, file.contentEncoding);
    return kind === 'parquet' ? await splitParquet(source, limit) : await splitText(kind, csv, source, limit);
  } catch (error) {
    if (error instanceof FileFault) return undefined;
    throw error;
  } finally {
    source.close();
  }
}

async function splitText(
  kind: 'csv' | 'jsonl',
  csv: CsvOptions,
  source: RecordSource,
  limit: PartLimit,
): Promise<CountedFile> {
  const cutter = rangeCutter(limit, { offset: 0, line: 1 });
  const { head, records, bytes } =
    kind === 'csv' ? await walkCsv(csv, source, cutter) : await walkJsonl(source, cutter.startsAt);
  const ranges = cutter.ranges(records, bytes);
  return ranges.length > 1 ? { records, split: { ...(head && { head }), ranges: [...ranges] } } : { records };
}

async function splitParquet(source: RecordSource, limit: PartLimit): Promise<CountedFile> {
  const { rowGroups } = await readFooter(rangeReader(source));
  const cutter = rangeCutter(limit, { offset: 0 });
  let row = 0;
  let offset = 0;
  for (const { num_rows: rows, columns, total_byte_size: unpacked } of rowGroups) {
    cutter.startsAt(row, offset);
    row += Number(rows);
    const packed = columns.reduce((sum, { meta_data: data }) => sum + Number(data?.total_compressed_size ?? 0), 0);
    offset += packed > 0 ? packed : Number(unpacked);
  }
  if (!Number.isSafeInteger(row) || row < 0) throw new FileFault('BadParquet', `The file has ${row} records.`);
  const ranges = cutter.ranges(row, offset);
  return ranges.length > 1 ? { records: row, split: { ranges: [...ranges] } } : { records: row };
}

import type { CsvOptions } from './csv-dialect.ts';
import { csvReader } from './csv-reader.ts';
import { formatOf } from './file-format.ts';
import { FileFault } from './file-fault.ts';
import type { FilePart } from './file-part.ts';
import { gunzipped } from './gzip-source.ts';
import { jsonlReader } from './jsonl-reader.ts';
import { parquetReader } from './parquet-reader.ts';
import type { RecordReader, RecordSource } from './record-reader.ts';
import type { RecordTarget } from './record-target.ts';

export interface FileToRead {
  readonly name: string;
  readonly contentEncoding?: string | undefined;
  /** What is read of it; all of it when absent. A gzip file has no parts. */
  readonly part?: FilePart | undefined;
}

/** A reader for a file by its name. Throws FileFault for a combination that cannot be read. */
export function openRecords(
  file: FileToRead,
  csv: CsvOptions,
  target: RecordTarget,
  source: RecordSource,
): RecordReader {
  const { kind, gzip } = formatOf(file.name, file.contentEncoding);
  switch (kind) {
    case 'csv':
      return csvReader(csv, target, gzip ? gunzipped(source) : source, file.part);
    case 'jsonl':
      return jsonlReader(target, gzip ? gunzipped(source) : source, { part: file.part });
    case 'parquet':
      if (gzip) {
        throw new FileFault(
          'UnsupportedEncoding',
          'A Parquet file inside gzip cannot be read in pieces; Parquet compresses its own pages, so store it unpacked.',
        );
      }
      return parquetReader(source, target, file.part);
  }
}

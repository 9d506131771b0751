import { FileFault } from './file-fault.ts';

/** How a file is read. */
export interface FileFormat {
  readonly kind: 'csv' | 'jsonl' | 'parquet';
  readonly gzip: boolean;
}

/**
 * The format that a file's name promises: `.jsonl`, `.ndjson` and `.json` (as Spark names its JSON lines), `.parquet` and `.pqt`;
 * everything else is CSV. A `.gz` after it, or a Content-Encoding of gzip, means that it is packed. The reader confirms it by the
 * file's first bytes.
 */
export function formatOf(name: string, contentEncoding?: string): FileFormat {
  const lower = name.toLowerCase();
  const packed = lower.endsWith('.gz');
  const extension = /\.[^./]+$/.exec(packed ? lower.slice(0, -3) : lower)?.[0];
  return { kind: kindOf(extension), gzip: packed || isGzip(contentEncoding) };
}

/** The same for a file that is to be read now. Throws FileFault for a combination that cannot be. */
export function readableFormatOf(name: string, contentEncoding?: string): FileFormat {
  const format = formatOf(name, contentEncoding);
  if (format.kind === 'parquet' && format.gzip)
    throw new FileFault(
      'UnsupportedEncoding',
      'A Parquet file inside gzip cannot be read in pieces; Parquet compresses its own pages, so store it unpacked.',
    );
  return format;
}

/** Whether a Content-Encoding is gzip; `x-gzip` is its old name (RFC 9110, 8.4.1.3). */
export function isGzip(contentEncoding: string | undefined): boolean {
  return contentEncoding !== undefined && /^(?:x-)?gzip$/i.test(contentEncoding);
}

function kindOf(extension: string | undefined): FileFormat['kind'] {
  switch (extension) {
    case '.jsonl':
    case '.ndjson':
    case '.json':
      return 'jsonl';
    case '.parquet':
    case '.pqt':
      return 'parquet';
    default:
      return 'csv';
  }
}

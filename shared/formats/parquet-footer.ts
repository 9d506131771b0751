import { parquetMetadata, parquetSchema, type RowGroup, type SchemaTree } from 'hyparquet';
import { FileFault } from './file-fault.ts';
import type { RangeReader } from './parquet-ranges.ts';

/** Read at once from the end: for most files the footer is in it, and the whole of a small file. */
const TAIL_BYTES = 256 * 1024;
/** A footer grows with columns times row groups, not with rows. */
const MAX_FOOTER_BYTES = 64 * 1024 * 1024;

const NOT_PARQUET = 'The file is not Parquet, or not whole: it must start and end with PAR1';

export interface ParquetFooter {
  /** Its children are the columns. */
  readonly root: SchemaTree;
  readonly header: readonly string[];
  readonly rowGroups: readonly RowGroup[];
}

/** Schema and row groups from the end of a file. Throws FileFault `NotParquet` or `BadParquet`. */
export async function readFooter(ranges: RangeReader): Promise<ParquetFooter> {
  const { length } = ranges;
  if (length < 12) throw new FileFault('NotParquet', `${NOT_PARQUET}.`);
  await ranges.keep(Math.max(0, length - TAIL_BYTES), length);
  const end = Buffer.from(await ranges.read(length - 8, length));
  const mark = end.toString('latin1', 4);
  if (mark === 'PARE') throw new FileFault('NotParquet', 'The Parquet file is encrypted.');
  if (mark !== 'PAR1') throw new FileFault('NotParquet', `${NOT_PARQUET}.`);
  const footerBytes = end.readUInt32LE(0);
  if (footerBytes > length - 12 || footerBytes > MAX_FOOTER_BYTES) {
    throw new FileFault('BadParquet', `The file's footer would be ${footerBytes} bytes, which it cannot be.`);
  }
  const footer = await ranges.read(length - 8 - footerBytes, length);
  try {
    const metadata = parquetMetadata(footer, { geoparquet: false });
    const root = parquetSchema(metadata);
    const header = root.children.map(({ element }) => element.name);
    if (!header.every((name) => typeof name === 'string')) throw new Error('a column has no name');
    return { root, header, rowGroups: metadata.row_groups };
  } catch (error) {
    throw badParquet('The footer', error);
  }
}

export function badParquet(what: string, error: unknown): FileFault {
  const reason = error instanceof Error ? error.message : String(error);
  return new FileFault('BadParquet', `${what} cannot be read: ${reason.slice(0, 200)}.`);
}

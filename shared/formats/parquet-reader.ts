import type { RowGroup } from 'hyparquet';
import { FileFault } from './file-fault.ts';
import { headFaultOf, type FilePart } from './file-part.ts';
import { parquetColumn, type ParquetColumn } from './parquet-columns.ts';
import { badParquet, readFooter } from './parquet-footer.ts';
import { columnPages, type ColumnPages } from './parquet-pages.ts';
import { rangeReader } from './parquet-ranges.ts';
import { putter, type PutValue } from './parquet-values.ts';
import { quoted } from './quoted.ts';
import type { RecordReader, RecordSource } from './record-reader.ts';
import { CellKind, NO_LINE, NO_OFFSET, type CellFault, type RecordTarget } from './record-target.ts';

/** A row group's wanted columns up to this size are fetched by one request. */
const WHOLE_GROUP_BYTES = 8 * 1024 * 1024;
/** Bytes fetched ahead, over all columns. */
const FETCH_BYTES = 32 * 1024 * 1024;
const MAX_FETCH_BYTES = 1024 * 1024;

interface WantedColumn {
  readonly place: number;
  readonly column: ParquetColumn;
  readonly put: PutValue;
}

/** A wanted column in the row group that is being read. */
interface OpenColumn extends WantedColumn {
  readonly pages: ColumnPages;
  /** The next value of the page. */
  next: number;
}

/**
 * The records of a Parquet file: row group by row group, and in it page by page of the wanted columns, so that memory is bounded by
 * pages. Flat columns of numbers, decimals, booleans and strings; a null is a missing value. Records have no line and no offset.
 * Throws FileFault: `NotParquet`, `BadParquet`, `PageTooLarge`, `NestedColumn`, `UnsupportedColumn`, and what the target throws;
 * HeadFault.
 */
export function parquetReader(source: RecordSource, target: RecordTarget, part?: FilePart): RecordReader {
  const ranges = rangeReader(source);
  let rowGroups: readonly RowGroup[] | undefined;
  let wanted: WantedColumn[] = [];
  let group = -1;
  let columns: OpenColumn[] = [];
  let left = 0;
  let row = part?.row ?? 0;

  async function open(): Promise<readonly RowGroup[]> {
    const found = await readFooter(ranges);
    const layout = target.open(found.header);
    wanted = found.header.flatMap((_, place) => {
      if (layout.kinds[place] === CellKind.Skip) return [];
      const column = parquetColumn(found.root, place);
      return [{ place, column, put: putter(column.type, place, layout, target) }];
    });
    return part === undefined ? found.rowGroups : groupsOf(found.rowGroups, part);
  }

  async function openGroup(rowGroup: RowGroup): Promise<void> {
    const chunks = wanted.map((column) => ({ ...column, chunk: chunkOf(rowGroup, column.column) }));
    const from = Math.min(...chunks.map(({ chunk }) => chunkStart(chunk)));
    const to = Math.max(...chunks.map(({ chunk }) => chunkStart(chunk) + Number(chunk.total_compressed_size)));
    if (to - from <= WHOLE_GROUP_BYTES) await ranges.keep(from, to);
    const fetchBytes = Math.min(MAX_FETCH_BYTES, Math.ceil(FETCH_BYTES / wanted.length));
    left = Number(rowGroup.num_rows);
    if (!Number.isSafeInteger(left) || left < 0) throw new FileFault('BadParquet', `A row group has ${left} rows.`);
    columns = chunks.map(({ chunk, ...column }) => ({
      ...column,
      pages: columnPages(ranges, column.column, chunk, left, fetchBytes),
      next: 0,
    }));
  }

  /** Reads records until a page or the batch ends. Answers whether the batch is full, and how many slots it has. */
  function readRows(from: number): { slots: number; full: boolean } {
    const count = Math.min(left, ...columns.map(({ pages, next }) => pages.values.length - next));
    let slots = from;
    let full = false;
    let done = 0;
    for (; done < count && !full; done++) {
      let fault: CellFault | undefined;
      for (const column of columns) {
        const value: unknown = column.pages.values[column.next++];
        fault ??= putValue(column, value, slots);
      }
      full =
        fault === undefined
          ? target.kept(slots++, row, NO_LINE, NO_OFFSET)
          : target.failed({ row, code: fault.code, reason: fault.reason });
      row++;
    }
    left -= done;
    return { slots, full };
  }

  return {
    async read() {
      rowGroups ??= await open().catch((error: unknown) => {
        throw headFaultOf(part, error);
      });
      for (let slots = 0; ;) {
        while (left === 0) {
          const rowGroup = rowGroups[++group];
          if (rowGroup === undefined) return { records: slots, last: true };
          if (wanted.length > 0) await openGroup(rowGroup);
        }
        await Promise.all(
          columns.map(async (column) => {
            if (column.next < column.pages.values.length) return;
            await column.pages.next();
            column.next = 0;
          }),
        );
        const read = readRows(slots);
        if (read.full) return { records: read.slots, last: false };
        slots = read.slots;
      }
    },
    close: () => source.close(),
  };
}

function putValue({ column, put }: OpenColumn, value: unknown, slot: number): CellFault | undefined {
  try {
    return put(value, slot);
  } catch (error) {
    throw error instanceof FileFault ? error : badParquet(`Column ${quoted(column.name)}`, error);
  }
}

/** The row groups whose first record lies in the part. */
function groupsOf(rowGroups: readonly RowGroup[], { row, records }: FilePart): readonly RowGroup[] {
  let next = 0;
  return rowGroups.filter(({ num_rows }) => {
    const first = next;
    next += Number(num_rows);
    return first >= row && first < row + records;
  });
}

type Chunk = NonNullable<RowGroup['columns'][number]['meta_data']>;

function chunkOf(rowGroup: RowGroup, { name }: ParquetColumn): Chunk {
  const found = rowGroup.columns.find(({ meta_data: data }) => data?.path_in_schema.join('.') === name);
  if (found?.meta_data === undefined || found.file_path !== undefined) {
    throw new FileFault('BadParquet', `Column ${quoted(name)} is not in each row group of the file.`);
  }
  const { data_page_offset: start, total_compressed_size: size } = found.meta_data;
  if (!(Number(start) > 0 && Number(size) > 0)) {
    throw new FileFault('BadParquet', `Column ${quoted(name)} has no place in the file.`);
  }
  return found.meta_data;
}

function chunkStart({ dictionary_page_offset: dictionary, data_page_offset: data }: Chunk): number {
  return Number(dictionary !== undefined && dictionary > 0n && dictionary < data ? dictionary : data);
}

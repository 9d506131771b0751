import { z } from 'zod';
import { tooManyMiniBatches } from './mini-batches.ts';

/** About how large a part of a file may be. */
export interface PartLimit {
  readonly unit: 'records' | 'bytes';
  readonly size: number;
  /** Parts at most, with those before. */
  readonly most: number;
  /** Mini-batches of the job before this part of its input; absent: none. */
  readonly before?: number;
}

/** A run of a file's records that is scored by itself: bytes [from, to) of a text, or row groups of a Parquet file. */
export const FileRange = z.object({
  /** Number of its first record in the file, from 0. */
  row: z.number(),
  records: z.number(),
  from: z.number(),
  /** Of a Parquet file: about where its row groups end. */
  to: z.number(),
  /** Of a text: the one-based line at `from`. */
  line: z.number().optional(),
});
export type FileRange = z.infer<typeof FileRange>;

/** How a file is cut. */
export const FileSplit = z.object({
  /** Bytes of a text that tell how its records are read: a CSV file's header, the first record of JSON lines. */
  head: z.object({ from: z.number(), to: z.number() }).optional(),
  /** In order, without gaps; each has a record. */
  ranges: z.array(FileRange),
});
export type FileSplit = z.infer<typeof FileSplit>;

/** Gathers the ranges of a file while its records are counted. */
export interface RangeCutter {
  /** A range that starts at a record ends here if it is large enough: another record starts. */
  startsAt(row: number, offset: number, line?: number): void;
  /** No record of a smaller number that starts at a smaller offset ends the range: it need not be told. */
  next(): { readonly row: number; readonly offset: number };
  /** The file has so many records and ends at `offset`. */
  ranges(records: number, offset: number): readonly FileRange[];
}

/** Cuts before the first record that would find its range as large as the limit, or larger. Throws JobFault for too many. */
export function rangeCutter(
  { unit, size, most, before = 0 }: PartLimit,
  start: { offset: number; line?: number },
): RangeCutter {
  const done: FileRange[] = [];
  let open = { row: 0, ...start };
  const close = (row: number, to: number): void => {
    const { offset, line } = open;
    if (before + done.length === most) throw tooManyMiniBatches(most);
    done.push({ row: open.row, records: row - open.row, from: offset, to, ...(line !== undefined && { line }) });
  };
  return {
    startsAt(row, offset, line) {
      const reached = unit === 'records' ? row - open.row : offset - open.offset;
      if (reached < size || row === open.row) return;
      close(row, offset);
      open = { row, offset, ...(line !== undefined && { line }) };
    },
    next: () =>
      unit === 'records' ? { row: open.row + size, offset: Infinity } : { row: Infinity, offset: open.offset + size },
    ranges(records, offset) {
      if (records > open.row) close(records, offset);
      return done;
    },
  };
}

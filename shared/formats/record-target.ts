/** How a reader treats a column of the file. */
export const CellKind = {
  /** A decimal, written straight to the values array. */
  Decimal: 0,
  /** A whole number, written straight to the values array when it has at most nine digits. */
  Integer: 1,
  /** Handed to the target as bytes. */
  Text: 2,
  /** Not wanted. */
  Skip: 3,
} as const;

/** The largest magnitude of an integer that a reader writes itself: it fits in 32 bits, so that no target must check it. */
export const MAX_PLAIN_INTEGER = 999_999_999;

/**
 * Where the cells of a record go. Column `c` of the record that fills `slot` is the number
 * `values[base[c] + slot * step[c]]`: the same loop fills one matrix or many columns.
 */
export interface RecordLayout {
  /** Cells that every record must have. */
  readonly width: number;
  /** A `CellKind` for each column of the file. */
  readonly kinds: Uint8Array;
  readonly base: Int32Array;
  readonly step: Int32Array;
  readonly values: Float32Array | Float64Array;
}

export interface CellFault {
  readonly code: string;
  readonly reason: string;
}

/** A record that could not be read: its zero-based row, and in a text file where it starts. */
export interface RecordFault extends CellFault {
  readonly row: number;
  /** One-based. */
  readonly line?: number;
  /** Bytes from the start of the file, unpacked if it was gzip. */
  readonly offset?: number;
}

/** What `kept` hears from a format whose records are on no line. */
export const NO_LINE = 0;
export const NO_OFFSET = -1;

/**
 * What receives the records of a file, whatever its format: the same table written in two formats fills two targets alike. A
 * slot is a place in the batch; a record that failed leaves its slot to the next.
 */
export interface RecordTarget {
  /** Names of the wanted columns, for formats that have no header; undefined where a column has none. */
  readonly wanted: readonly (string | undefined)[];
  /** The file's column names, or undefined when it has none. May throw FileFault. */
  open(header: readonly string[] | undefined): RecordLayout;
  /** A cell that is text, missing (no bytes), or not plainly a number. `bytes` are valid during the call only. */
  cell(column: number, slot: number, bytes: Buffer, start: number, end: number): CellFault | undefined;
  /** The record in `slot` is whole. True: the batch has no room for another. */
  kept(slot: number, row: number, line: number, offset: number): boolean;
  /** True: enough for one batch. */
  failed(fault: RecordFault): boolean;
}

/** What a record with too few or too many cells says. */
export function wrongWidth(cells: number, expected: number): CellFault {
  const code = cells < expected ? 'TooFewColumns' : 'TooManyColumns';
  return { code, reason: `The record has ${cells === 1 ? '1 cell' : `${cells} cells`}, expected ${expected}.` };
}

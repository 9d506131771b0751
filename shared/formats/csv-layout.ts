/** How the tokenizer treats a column of the file. */
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

/**
 * Where the cells of a record go. Column `c` of the record that fills `slot` is the number
 * `values[base[c] + slot * step[c]]`: the same loop fills one matrix or many columns.
 */
export interface CsvLayout {
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

/** A record that could not be read: its zero-based data row, and the one-based line where it starts. */
export interface RecordFault extends CellFault {
  readonly row: number;
  readonly line: number;
}

/** What receives the records of a file. A slot is a place in the batch; a record that failed leaves its slot to the next. */
export interface CsvTarget {
  /** The file's header, or undefined when it is read without one. May throw FileFault. */
  open(header: readonly string[] | undefined): CsvLayout;
  /** A cell that is text, or not plainly a number. `bytes` are valid during the call only. */
  cell(column: number, slot: number, bytes: Buffer, start: number, end: number): CellFault | undefined;
  /** The record in `slot` is whole. True: the batch has no room for another. */
  kept(slot: number, row: number, line: number): boolean;
  /** True: enough for one batch. */
  failed(fault: RecordFault): boolean;
}

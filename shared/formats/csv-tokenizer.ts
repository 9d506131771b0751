import { csvCells } from './csv-cells.ts';
import { delimiterByte, type CsvOptions } from './csv-dialect.ts';
import { readCsvHeader } from './csv-header.ts';
import { FileFault, withPlace } from './file-fault.ts';
import { POWERS_OF_TEN } from './plain-number.ts';
import { CellKind, MAX_PLAIN_INTEGER, wrongWidth, type CellFault, type RecordTarget } from './record-target.ts';
import { MAX_RECORD_BYTES, recordWindow, textStart } from './record-window.ts';

export interface CsvTokenizer {
  /** Whole records in the batch. */
  readonly slots: number;
  /** The target has no room for another record until `clear()`. */
  readonly full: boolean;
  /**
   * Reads `chunk` from `offset` and answers the offset reached. When the batch is `full` after it: use it, `clear()`,
   * and push the rest.
   */
  push(chunk: Uint8Array, offset?: number): number;
  /** Reads what is left. False means that the batch is full: use it, `clear()`, and end again. */
  end(): boolean;
  /** The batch was used: slots start at 0 again. */
  clear(): void;
}

const LF = 10;
const CR = 13;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;

/** Whole numbers of so many digits are below 2^53. */
const EXACT_DIGITS = 15;
/** Of so many, at most MAX_PLAIN_INTEGER. */
const PLAIN_INTEGER_DIGITS = 9;

/**
 * A streaming reader of RFC 4180 CSV: quotes, doubled quotes and line ends inside quotes; records end at LF, CRLF or a
 * lone CR (as in pandas), the last one also at the end of the file; blank lines are skipped; a quote inside an
 * unquoted cell is an ordinary character. A UTF-8 byte order mark is skipped.
 *
 * Throws FileFault: `NotCsv`, `BadHeader`, `RecordTooLong`, `UnterminatedQuote`, and what the target throws.
 */
export function csvTokenizer(options: CsvOptions, target: RecordTarget): CsvTokenizer {
  const delimiter = delimiterByte(options.delimiter);
  const maxRecordBytes = options.maxRecordBytes ?? MAX_RECORD_BYTES;
  const window = recordWindow(maxRecordBytes);
  let started = false;
  let layout = options.header ? undefined : target.open(undefined);
  let row = 0;
  let slots = 0;
  let full = false;
  let fault: CellFault | undefined;
  // The slow path of a cell, in a function of its own so that the loop below stays small enough to be compiled well.
  const cells = csvCells(
    window,
    delimiter,
    (column, bytes, start, end) => {
      if (fault !== undefined || layout === undefined || column >= layout.width) return;
      if (layout.kinds[column] !== CellKind.Skip) fault = target.cell(column, slots, bytes, start, end);
    },
    (refused) => (fault ??= refused),
  );

  /** Reads whole records. True: more bytes are needed. False: the batch is full. */
  function readRecords(): boolean {
    if (!started) {
      started = true;
      window.position = textStart(window, 'NotCsv');
    }
    if (layout === undefined) {
      const header = readCsvHeader(window, delimiter, cells.line, cells.ended);
      if (!('names' in header)) {
        cells.line += header.blankLines;
        return true;
      }
      const { names } = header;
      layout = withPlace(header.start, () => target.open(names));
      window.position = header.next;
      cells.line = header.line;
    }
    const { kinds, base, step, values, width } = layout;
    const narrow = values instanceof Float32Array;
    const { bytes, filled } = window;
    // Read once: in the loop an imported or outer name costs a load for every cell.
    const separator = delimiter;
    const powers = POWERS_OF_TEN;
    const decimal: number = CellKind.Decimal;
    const lastNumeric: number = CellKind.Integer;
    const skip: number = CellKind.Skip;
    let p = window.position;
    while (p < filled) {
      const first = bytes[p] as number;
      if (first === LF || first === CR) {
        const next = cells.afterLineEnd(p);
        if (next < 0) break;
        p = next;
        cells.line++;
        continue;
      }
      window.position = p;
      if (full) return false;
      cells.lines = 0;
      fault = undefined;
      const slot = slots;
      let at = p;
      let column = 0;
      for (;;) {
        const kind = column < width ? (kinds[column] as number) : skip;
        let end = -1;
        if (kind <= lastNumeric) {
          let q = at;
          let b = bytes[q] as number;
          const negative = b === MINUS;
          if (negative) b = bytes[++q] as number;
          const digits = q;
          let mantissa = 0;
          // One comparison a digit: XOR with the code of 0 makes 0 to 9 of the digits and no other byte.
          let digit = b ^ ZERO;
          while (digit < 10) {
            mantissa = mantissa * 10 + digit;
            b = bytes[++q] as number;
            digit = b ^ ZERO;
          }
          let count = q - digits;
          let scale = 0;
          if (b === DOT && kind === decimal) {
            b = bytes[++q] as number;
            const fraction = q;
            digit = b ^ ZERO;
            while (digit < 10) {
              mantissa = mantissa * 10 + digit;
              b = bytes[++q] as number;
              digit = b ^ ZERO;
            }
            scale = q - fraction;
            count += scale;
          }
          // Nearly every cell: few enough digits to be exact, and the byte after them is known.
          if (count > 0 && count <= (kind === decimal ? EXACT_DIGITS : PLAIN_INTEGER_DIGITS)) {
            if (b === separator || b === LF) {
              const value = scale === 0 ? mantissa : mantissa / (powers[scale] as number);
              values[(base[column] as number) + slot * (step[column] as number)] = negative ? -value : value;
              if (b === separator) {
                column++;
                at = q + 1;
                continue;
              }
              end = q;
            }
          }
          if (end < 0 && count > 0 && (b === separator || b === LF || b === CR)) {
            if (mantissa <= (kind !== decimal ? MAX_PLAIN_INTEGER : Number.MAX_SAFE_INTEGER) && scale <= 22) {
              const value = scale === 0 ? mantissa : mantissa / (powers[scale] as number);
              values[(base[column] as number) + slot * (step[column] as number)] = negative ? -value : value;
              end = q;
            } else if (narrow && count <= 26 && scale <= 22) {
              // More digits than a double holds. The mantissa is off by less than 2^-47 of itself; when both ends of
              // that range are the same float32, the error does not matter.
              const value = mantissa / (powers[scale] as number);
              if (Math.fround(value * (1 - 2 ** -46)) === Math.fround(value * (1 + 2 ** -46))) {
                values[(base[column] as number) + slot * (step[column] as number)] = negative ? -value : value;
                end = q;
              }
            }
          }
        }
        if (end < 0) {
          end = cells.read(column, at);
          if (end < 0) return true;
        }
        column++;
        if (end < filled && bytes[end] === delimiter) {
          at = end + 1;
          continue;
        }
        const next = bytes[end] === LF ? end + 1 : end < filled ? cells.afterLineEnd(end) : end;
        if (next < 0) return true;
        if (column !== width) fault = wrongWidth(column, width);
        endRecord(window.offsetOf(p));
        p = next;
        break;
      }
    }
    window.position = p;
    return true;
  }

  function endRecord(offset: number): void {
    const { line } = cells;
    if (fault === undefined) {
      full = target.kept(slots++, row, line, offset);
    } else {
      full = target.failed({ row, line, offset, code: fault.code, reason: fault.reason });
    }
    row++;
    cells.line += cells.lines + 1;
  }

  function tooLong(): FileFault {
    const why = cells.openQuoteLine > 0 ? `; the quote opened on line ${cells.openQuoteLine} is not closed` : '';
    return new FileFault('RecordTooLong', `A record is longer than ${maxRecordBytes} bytes${why}.`, {
      line: cells.line,
      offset: window.offsetOf(window.position),
    });
  }

  return {
    get slots() {
      return slots;
    },
    get full() {
      return full;
    },
    push(chunk, offset = 0) {
      let from = offset;
      for (;;) {
        if (window.full) {
          if (!readRecords()) return from;
          if (!window.makeRoom()) throw tooLong();
        }
        const count = window.take(chunk, from);
        if (count === 0) return from;
        from += count;
      }
    },
    end() {
      cells.ended = true;
      return readRecords();
    },
    clear() {
      slots = 0;
      full = false;
    },
  };
}

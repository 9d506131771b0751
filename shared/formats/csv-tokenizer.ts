import { decodeText } from './csv-cell.ts';
import { CellKind, type CellFault, type CsvLayout, type CsvTarget } from './csv-layout.ts';
import { FileFault } from './file-fault.ts';

export interface CsvOptions {
  /** One ASCII character. */
  readonly delimiter: string;
  /** Whether the first record names the columns. */
  readonly header: boolean;
  /** Longest record, line end included. Default 1 MiB. */
  readonly maxRecordBytes?: number;
}

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
const QUOTE = 34;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;

const WINDOW_BYTES = 64 * 1024;
const DEFAULT_MAX_RECORD_BYTES = 1024 * 1024;
const MAX_INTEGER = 999_999_999;

/** Powers of ten that a double holds exactly: a quotient of two exact doubles is correctly rounded. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * A streaming reader of RFC 4180 CSV: quotes, doubled quotes and line ends inside quotes; records end at LF, CRLF or a
 * lone CR (as in pandas), the last one also at the end of the file; blank lines are skipped; a quote inside an
 * unquoted cell is an ordinary character. A UTF-8 byte order mark is skipped.
 *
 * Bytes are gathered in one window that always starts at a record, so chunks may be cut anywhere and memory is bounded
 * by the longest record. Throws FileFault: `NotCsv`, `RecordTooLong`, `UnterminatedQuote`, and what the target throws.
 */
export function csvTokenizer(options: CsvOptions, target: CsvTarget): CsvTokenizer {
  const delimiter = delimiterByte(options.delimiter);
  const maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES;
  // The byte after the window is always NUL: the number loop stops there without comparing positions.
  let size = Math.min(WINDOW_BYTES, maxRecordBytes);
  let window: Buffer = Buffer.alloc(size + 1);
  let filled = 0;
  let position = 0;
  let ended = false;
  let started = false;
  let layout: CsvLayout | undefined = options.header ? undefined : target.open(undefined);
  const header: string[] = [];

  let row = 0;
  let line = 1;
  let slots = 0;
  let full = false;
  // Facts about the record being read, kept here because the slow path of a cell is a function of its own.
  let lines = 0;
  let fault: CellFault | undefined;
  let openQuoteLine = 0;

  /** Reads whole records. True: more bytes are needed. False: the batch is full. */
  function readRecords(): boolean {
    if (layout === undefined) {
      if (!readHeader()) return true;
    }
    const { kinds, base, step, values, width } = layout as CsvLayout;
    const narrow = values instanceof Float32Array;
    const bytes = window;
    let p = position;
    while (p < filled) {
      const first = bytes[p] as number;
      if (first === LF || first === CR) {
        const next = afterLineEnd(p);
        if (next < 0) break;
        p = next;
        line++;
        continue;
      }
      if (full) {
        position = p;
        return false;
      }
      lines = 0;
      fault = undefined;
      const slot = slots;
      let at = p;
      let column = 0;
      for (;;) {
        const kind = column < width ? (kinds[column] as number) : CellKind.Skip;
        let end = -1;
        if (kind <= CellKind.Integer) {
          let q = at;
          let b = bytes[q] as number;
          const negative = b === MINUS;
          if (negative) b = bytes[++q] as number;
          const digits = q;
          let mantissa = 0;
          while (b >= ZERO && b <= 57) {
            mantissa = mantissa * 10 + (b - ZERO);
            b = bytes[++q] as number;
          }
          let count = q - digits;
          let scale = 0;
          if (b === DOT && kind === CellKind.Decimal) {
            b = bytes[++q] as number;
            const fraction = q;
            while (b >= ZERO && b <= 57) {
              mantissa = mantissa * 10 + (b - ZERO);
              b = bytes[++q] as number;
            }
            scale = q - fraction;
            count += scale;
          }
          if (count > 0 && (b === delimiter || b === LF || b === CR)) {
            if (mantissa <= (kind === CellKind.Integer ? MAX_INTEGER : Number.MAX_SAFE_INTEGER) && scale <= 22) {
              const value = scale === 0 ? mantissa : mantissa / (POWERS_OF_TEN[scale] as number);
              values[(base[column] as number) + slot * (step[column] as number)] = negative ? -value : value;
              end = q;
            } else if (narrow && count <= 26 && scale <= 22) {
              // More digits than a double holds. The mantissa is off by less than 2^-47 of itself; when both ends of
              // that range are the same float32, the error does not matter.
              const value = mantissa / (POWERS_OF_TEN[scale] as number);
              if (Math.fround(value * (1 - 2 ** -46)) === Math.fround(value * (1 + 2 ** -46))) {
                values[(base[column] as number) + slot * (step[column] as number)] = negative ? -value : value;
                end = q;
              }
            }
          }
        }
        if (end < 0) {
          end = readCell(column, kind, at);
          if (end < 0) {
            position = p;
            return true;
          }
        }
        column++;
        if (end < filled && bytes[end] === delimiter) {
          at = end + 1;
          continue;
        }
        const next = end < filled ? afterLineEnd(end) : end;
        if (next < 0) {
          position = p;
          return true;
        }
        endRecord(column, width);
        p = next;
        break;
      }
    }
    position = p;
    return true;
  }

  function endRecord(columns: number, width: number): void {
    if (columns !== width) {
      const code = columns < width ? 'TooFewColumns' : 'TooManyColumns';
      fault = { code, reason: `The record has ${cells(columns)}, expected ${width}.` };
    }
    if (fault === undefined) {
      full = target.kept(slots++, row, line);
    } else {
      full = target.failed({ row, line, code: fault.code, reason: fault.reason });
    }
    row++;
    line += lines + 1;
  }

  /** Where the next line starts, or -1 when the byte after a CR has not come yet. */
  function afterLineEnd(at: number): number {
    if (window[at] === LF) return at + 1;
    if (at + 1 >= filled) return ended ? at + 1 : -1;
    return window[at + 1] === LF ? at + 2 : at + 1;
  }

  /** Any cell, quoted or not. Answers the position of the byte that ends it, or -1 when it is not all there. */
  function readCell(column: number, kind: number, start: number): number {
    if (window[start] === QUOTE) return readQuoted(column, kind, start);
    const end = unquotedEnd(start);
    if (end >= 0) deliver(column, kind, window, start, end);
    return end;
  }

  function unquotedEnd(start: number): number {
    const bytes = window;
    let q = start;
    for (;;) {
      const b = bytes[q] as number;
      if (b === delimiter || b === LF || b === CR) return q;
      if (b === 0) {
        if (q < filled) throw notCsv();
        return ended ? q : -1;
      }
      q++;
    }
  }

  function readQuoted(column: number, kind: number, start: number): number {
    const bytes = window;
    openQuoteLine = line + lines;
    let doubled = 0;
    let q = start + 1;
    for (;;) {
      const b = bytes[q] as number;
      if (b === QUOTE) {
        if (bytes[q + 1] !== QUOTE) break;
        doubled++;
        q += 2;
        continue;
      }
      if (b === LF || (b === CR && bytes[q + 1] !== LF)) lines++;
      else if (b === 0) {
        if (q < filled) throw notCsv();
        if (ended) throw new FileFault('UnterminatedQuote', 'A quote is opened and never closed.', openQuoteLine);
        return -1;
      }
      q++;
    }
    if (q + 1 >= filled && !ended) return -1;
    openQuoteLine = 0;
    const end = unquotedEnd(q + 1);
    if (end < 0) return -1;
    if (end > q + 1) {
      fault ??= { code: 'BadQuote', reason: `Column ${column + 1} has text after its closing quote.` };
    } else if (doubled === 0) {
      deliver(column, kind, bytes, start + 1, q);
    } else {
      const plain = undouble(bytes, start + 1, q, doubled);
      deliver(column, kind, plain, 0, plain.length);
    }
    return end;
  }

  function deliver(column: number, kind: number, bytes: Buffer, start: number, end: number): void {
    if (kind === CellKind.Skip || fault !== undefined) return;
    if (layout === undefined) {
      const name = decodeText(bytes, start, end);
      if (name === undefined) throw new FileFault('NotCsv', 'The header is not UTF-8 text.', line);
      header.push(name);
    } else {
      fault = target.cell(column, slots, bytes, start, end);
    }
  }

  /** False: the header is not all there yet, or there is none. */
  function readHeader(): boolean {
    let p = position;
    while (p < filled && (window[p] === LF || window[p] === CR)) {
      const next = afterLineEnd(p);
      if (next < 0) return false;
      p = next;
      line++;
      position = p;
    }
    if (p >= filled) return false;
    header.length = 0;
    lines = 0;
    fault = undefined;
    for (;;) {
      const end = readCell(header.length, CellKind.Text, p);
      if (end < 0) return false;
      if (fault !== undefined) throw new FileFault('BadHeader', (fault as CellFault).reason, line);
      if (end < filled && window[end] === delimiter) {
        p = end + 1;
        continue;
      }
      const next = end < filled ? afterLineEnd(end) : end;
      if (next < 0) return false;
      position = next;
      line += lines + 1;
      layout = target.open(header);
      return true;
    }
  }

  function skipByteOrderMark(): void {
    started = true;
    if (window[0] === 0xef && window[1] === 0xbb && window[2] === 0xbf) position = 3;
    else if ((window[0] === 0xff && window[1] === 0xfe) || (window[0] === 0xfe && window[1] === 0xff)) {
      throw new FileFault('NotCsv', 'The file is UTF-16 text; CSV is read as UTF-8.', 1);
    }
  }

  function notCsv(): FileFault {
    return new FileFault('NotCsv', 'The file has NUL bytes: it is binary, not CSV text.', line + lines);
  }

  /** Moves the record that is not all there to the window's start; a window that it fills grows. */
  function makeRoom(): void {
    if (position > 0) {
      window.copyWithin(0, position, filled);
      filled -= position;
      position = 0;
      window[filled] = 0;
      return;
    }
    if (size >= maxRecordBytes) {
      const why = openQuoteLine > 0 ? `; the quote opened on line ${openQuoteLine} is not closed` : '';
      throw new FileFault('RecordTooLong', `A record is longer than ${maxRecordBytes} bytes${why}.`, line);
    }
    size = Math.min(size * 2, maxRecordBytes);
    const larger = Buffer.alloc(size + 1);
    larger.set(window.subarray(0, filled));
    window = larger;
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
        if (filled === size) {
          if (!started) skipByteOrderMark();
          if (!readRecords()) return from;
          makeRoom();
        }
        const count = Math.min(size - filled, chunk.length - from);
        if (count === 0) return from;
        window.set(count === chunk.length ? chunk : chunk.subarray(from, from + count), filled);
        filled += count;
        window[filled] = 0;
        from += count;
      }
    },
    end() {
      ended = true;
      if (!started) skipByteOrderMark();
      return readRecords();
    },
    clear() {
      slots = 0;
      full = false;
    },
  };
}

function cells(count: number): string {
  return count === 1 ? '1 cell' : `${count} cells`;
}

function undouble(bytes: Buffer, start: number, end: number, doubled: number): Buffer {
  const plain = Buffer.alloc(end - start - doubled);
  let to = 0;
  for (let from = start; from < end; from++) {
    plain[to++] = bytes[from] as number;
    if (bytes[from] === QUOTE) from++;
  }
  return plain;
}

function delimiterByte(delimiter: string): number {
  const byte = delimiter.charCodeAt(0);
  if (delimiter.length !== 1 || byte > 126 || /[\w"\r\n\0.+-]/.test(delimiter)) {
    throw new RangeError(
      `A delimiter is one ASCII character that cannot be part of a number, got ${JSON.stringify(delimiter)}.`,
    );
  }
  return byte;
}

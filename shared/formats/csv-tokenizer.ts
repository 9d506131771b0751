import { csvCells } from './csv-cells.ts';
import { delimiterByte, type CsvOptions } from './csv-dialect.ts';
import { readCsvHeader } from './csv-header.ts';
import { FileFault, withPlace } from './file-fault.ts';
import { atHead, type FilePart } from './file-part.ts';
import { cellScan, readLongNumber, readPlainCells, strideOf } from './plain-cells.ts';
import { plainRecords, type PlainRecords } from './plain-records.ts';
import { CellKind, wrongWidth, type CellFault, type RecordLayout, type RecordTarget } from './record-target.ts';
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
/**
 * A streaming reader of RFC 4180 CSV: quotes, doubled quotes and line ends inside quotes; records end at LF, CRLF or a
 * lone CR (as in pandas), the last one also at the end of the file; blank lines are skipped; a quote inside an
 * unquoted cell is an ordinary character. A UTF-8 byte order mark is skipped. Of a `part` the header's bytes come first.
 *
 * Throws FileFault: `NotCsv`, `BadHeader`, `RecordTooLong`, `UnterminatedQuote`, and what the target throws; HeadFault.
 */
export function csvTokenizer(options: CsvOptions, target: RecordTarget, part?: FilePart): CsvTokenizer {
  const delimiter = delimiterByte(options.delimiter);
  const maxRecordBytes = options.maxRecordBytes ?? MAX_RECORD_BYTES;
  const window = recordWindow(maxRecordBytes);
  let started = false;
  const scan = cellScan(window, delimiter);
  let plain: PlainRecords | undefined;
  const open = (header: readonly string[] | undefined): RecordLayout => {
    const layout = atHead(part, () => target.open(header));
    scan.stride = strideOf(layout);
    plain = plainRecords(layout, delimiter);
    return (scan.layout = layout);
  };
  if (!options.header) open(undefined);
  let row = part?.row ?? 0;
  let slots = 0;
  let full = false;
  let fault: CellFault | undefined;
  const later = part !== undefined && part.row > 0 ? part : undefined;
  const cells = csvCells(
    window,
    delimiter,
    (column, bytes, start, end) => {
      if (fault !== undefined || scan.layout === undefined || column >= scan.layout.width) return;
      if (scan.layout.kinds[column] !== CellKind.Skip) fault = target.cell(column, slots, bytes, start, end);
    },
    (refused) => (fault ??= refused),
  );

  /** Reads whole records. True: more bytes are needed. False: the batch is full. */
  function readRecords(): boolean {
    if (!started) {
      started = true;
      if (later === undefined) window.position = textStart(window, 'NotCsv');
      else if (!options.header) goToPart(later);
    }
    let { layout } = scan;
    if (layout === undefined) {
      const header = readCsvHeader(window, delimiter, cells.line, cells.ended);
      if (!('names' in header)) {
        cells.line += header.blankLines;
        return true;
      }
      const { names } = header;
      layout = withPlace(header.start, () => open(names));
      window.position = header.next;
      cells.line = header.line;
      if (later) goToPart(later);
    }
    const { bytes, filled } = window;
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
      const many = plain ? keepPlain(plain, p) : p;
      if (many > p) {
        p = many;
        continue;
      }
      const next = readRecord(layout, p);
      if (next < 0) return true;
      endRecord(window.offsetOf(p));
      p = next;
    }
    window.position = p;
    return true;
  }

  /** Keeps the records from `start` on that are plainly numbers. Answers where the next one starts. */
  function keepPlain({ read, starts }: PlainRecords, start: number): number {
    const count = read(window, start, slots);
    cells.lines = 0;
    fault = undefined;
    let kept = 0;
    while (kept < count && !full) endRecord(window.offsetOf(starts[kept++] as number));
    return kept > 0 ? (starts[kept] as number) : start;
  }

  function goToPart({ from, line = 1 }: FilePart): void {
    window.moveTo(from);
    cells.line = line;
  }

  /** Reads the record at `start`. Answers where the next one starts, or -1 when more bytes are needed. */
  function readRecord(layout: RecordLayout, start: number): number {
    cells.lines = 0;
    fault = undefined;
    scan.column = 0;
    scan.at = start;
    for (;;) {
      if (readPlainCells(scan, layout, slots)) {
        if (scan.column !== layout.width) fault = wrongWidth(scan.column, layout.width);
        return scan.at + 1;
      }
      let end = readLongNumber(scan, layout, slots);
      if (end < 0) end = cells.read(scan.column, scan.at);
      if (end < 0) return -1;
      scan.column++;
      if (end < window.filled && window.bytes[end] === delimiter) {
        scan.at = end + 1;
        continue;
      }
      if (scan.column !== layout.width) fault = wrongWidth(scan.column, layout.width);
      return end < window.filled ? cells.afterLineEnd(end) : end;
    }
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

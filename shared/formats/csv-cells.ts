import { FileFault } from './file-fault.ts';
import type { CellFault } from './record-target.ts';
import type { RecordWindow } from './record-window.ts';

const LF = 10;
const CR = 13;
const QUOTE = 34;

/** Reads what is not plainly a number: texts, quoted cells, line ends. Positions are places in the window. */
export interface CsvCells {
  /** Line ends inside the quotes of the record being read. */
  lines: number;
  /** Line of the file where the record being read starts. */
  line: number;
  /** Line of a quote that is open where the window ends; 0: none. */
  readonly openQuoteLine: number;
  /** The file is all in the window. */
  ended: boolean;
  /** Reads the cell at `start` and hands over its text. Answers the position of the byte that ends it, or -1 when it is not all there. */
  read(column: number, start: number): number;
  /** Where the next line starts, or -1 when the byte after a CR has not come yet. */
  afterLineEnd(at: number): number;
}

/** `deliver` gets the bytes of each cell without its quotes; `refuse` a cell that is not as RFC 4180 has it. */
export function csvCells(
  window: RecordWindow,
  delimiter: number,
  deliver: (column: number, bytes: Buffer, start: number, end: number) => void,
  refuse: (fault: CellFault) => void,
): CsvCells {
  let openQuoteLine = 0;

  const fault = (code: string, reason: string, line: number) =>
    new FileFault(code, reason, { line, offset: window.offsetOf(window.position) });
  const nul = () => fault('NotCsv', 'The file has NUL bytes: it is binary, not CSV text.', cells.line + cells.lines);

  function unquotedEnd(start: number): number {
    const { bytes } = window;
    let q = start;
    for (;;) {
      const b = bytes[q] as number;
      if (b === delimiter || b === LF || b === CR) return q;
      if (b === 0) {
        if (q < window.filled) throw nul();
        return cells.ended ? q : -1;
      }
      q++;
    }
  }

  function readQuoted(column: number, start: number): number {
    const { bytes, filled } = window;
    openQuoteLine = cells.line + cells.lines;
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
      if (b === LF || (b === CR && bytes[q + 1] !== LF)) cells.lines++;
      else if (b === 0) {
        if (q < filled) throw nul();
        if (cells.ended) throw fault('UnterminatedQuote', 'A quote is opened and never closed.', openQuoteLine);
        return -1;
      }
      q++;
    }
    if (q + 1 >= filled && !cells.ended) return -1;
    openQuoteLine = 0;
    const end = unquotedEnd(q + 1);
    if (end < 0) return -1;
    if (end > q + 1) {
      refuse({ code: 'BadQuote', reason: `Column ${column + 1} has text after its closing quote.` });
    } else if (doubled === 0) {
      deliver(column, bytes, start + 1, q);
    } else {
      const plain = undouble(bytes, start + 1, q, doubled);
      deliver(column, plain, 0, plain.length);
    }
    return end;
  }

  const cells: CsvCells = {
    lines: 0,
    line: 1,
    ended: false,
    get openQuoteLine() {
      return openQuoteLine;
    },
    read(column, start) {
      const { bytes } = window;
      if (bytes[start] === QUOTE) return readQuoted(column, start);
      const end = unquotedEnd(start);
      if (end >= 0) deliver(column, bytes, start, end);
      return end;
    },
    afterLineEnd(at) {
      const { bytes, filled } = window;
      if (bytes[at] === LF) return at + 1;
      if (at + 1 >= filled) return cells.ended ? at + 1 : -1;
      return bytes[at + 1] === LF ? at + 2 : at + 1;
    },
  };
  return cells;
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

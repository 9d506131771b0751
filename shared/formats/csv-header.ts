import { decodeText } from './csv-cell.ts';
import { csvCells } from './csv-cells.ts';
import { FileFault, type FaultPlace } from './file-fault.ts';
import type { RecordWindow } from './record-window.ts';

export interface CsvHeader {
  readonly names: readonly string[];
  readonly start: FaultPlace;
  /** Where the first record starts: place in the window, and line. */
  readonly next: number;
  readonly line: number;
}

/**
 * Reads the header at the window's position, which is on `line`. While it is not all there, or there is none, only the blank lines
 * before it are read. Throws FileFault.
 */
export function readCsvHeader(
  window: RecordWindow,
  delimiter: number,
  line: number,
  ended: boolean,
): CsvHeader | { readonly blankLines: number } {
  const names: string[] = [];
  const refuse = (code: string, reason: string): never => {
    throw new FileFault(code, reason, { line: cells.line, offset: window.offsetOf(window.position) });
  };
  const cells = csvCells(
    window,
    delimiter,
    (_column, bytes, start, end) => {
      names.push(decodeText(bytes, start, end) ?? refuse('NotCsv', 'The header is not UTF-8 text.'));
    },
    ({ reason }) => refuse('BadHeader', reason),
  );
  cells.ended = ended;
  cells.line = line;
  let p = window.position;
  // Blank lines before the header are left behind, so that any number of them fits.
  while (p < window.filled && (window.bytes[p] === 10 || window.bytes[p] === 13)) {
    p = cells.afterLineEnd(p);
    if (p < 0) return { blankLines: cells.line - line };
    cells.line++;
    window.position = p;
  }
  const start = { line: cells.line, offset: window.offsetOf(p) };
  const blankLines = cells.line - line;
  if (p >= window.filled) return { blankLines };
  for (;;) {
    const end = cells.read(names.length, p);
    if (end < 0) return { blankLines };
    if (end < window.filled && window.bytes[end] === delimiter) {
      p = end + 1;
      continue;
    }
    const next = end < window.filled ? cells.afterLineEnd(end) : end;
    return next < 0 ? { blankLines } : { names, start, next, line: cells.line + cells.lines + 1 };
  }
}

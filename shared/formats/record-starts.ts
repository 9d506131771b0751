import { csvCells } from './csv-cells.ts';
import { delimiterByte, type CsvOptions } from './csv-dialect.ts';
import { readCsvHeader } from './csv-header.ts';
import { FileFault } from './file-fault.ts';
import { jsonScanner } from './json-scanner.ts';
import type { ChunkSource } from './record-reader.ts';
import { MAX_RECORD_BYTES, recordWindow, textStart, type RecordWindow } from './record-window.ts';

/** Bytes of a text that tell how its records are read. */
export interface TextHead {
  readonly from: number;
  readonly to: number;
}

/** What a walk over the records of a text has found. */
export interface WalkedText {
  readonly head: TextHead | undefined;
  readonly records: number;
  readonly bytes: number;
}

/** Hears of each record: its number from 0, where it starts, and its one-based line. */
export type OnRecord = (row: number, offset: number, line: number) => void;

/** What a walk over a CSV text is for. */
export interface RecordStarts {
  readonly startsAt: OnRecord;
  /** Records of smaller numbers at smaller offsets need not be told. */
  next(): { readonly row: number; readonly offset: number };
}

/** Walks over the whole records in the window. `ended`: the file is all in it. */
interface Walker {
  walk(ended: boolean): void;
  readonly head: TextHead | undefined;
  readonly records: number;
}

const LF = 10;
const CR = 13;
const QUOTE = 34;
const OPEN_ARRAY = 91;
const OPEN_OBJECT = 123;

const nothing = (): void => undefined;

/**
 * Finds where the records of a CSV text start, as the tokenizer finds them, without reading their cells. Throws the FileFaults that
 * reading the whole file would throw, but for those of the target: a text that is walked over without one can be read in parts.
 */
export const walkCsv = (options: CsvOptions, source: ChunkSource, wanted: RecordStarts): Promise<WalkedText> =>
  walkText(source, 'NotCsv', options.maxRecordBytes, (window) => csvWalker(options, window, wanted));

/**
 * The same for JSON lines. Records up to the first one that is JSON, which is the head, are not told: it has to be in the first
 * part.
 */
export const walkJsonl = (source: ChunkSource, onRecord: OnRecord, maxRecordBytes?: number): Promise<WalkedText> =>
  walkText(source, 'NotJsonl', maxRecordBytes, (window) => jsonlWalker(window, onRecord));

async function walkText(
  source: ChunkSource,
  code: string,
  maxRecordBytes: number | undefined,
  over: (window: RecordWindow) => Walker,
): Promise<WalkedText> {
  const window = recordWindow(maxRecordBytes);
  const walker = over(window);
  let started = false;
  let chunk: Uint8Array | undefined;
  let taken = 0;
  for (;;) {
    let ended = false;
    while (!window.full && !ended) {
      chunk ??= await source.next();
      if (chunk === undefined) {
        ended = true;
        break;
      }
      taken += window.take(chunk, taken);
      if (taken < chunk.length) continue;
      chunk = undefined;
      taken = 0;
    }
    if (!started) window.position = textStart(window, code);
    started = true;
    walker.walk(ended);
    if (ended) return { head: walker.head, records: walker.records, bytes: window.offsetOf(window.filled) };
    if (!window.makeRoom())
      throw new FileFault('RecordTooLong', `A record is longer than ${maxRecordBytes ?? MAX_RECORD_BYTES} bytes.`);
  }
}

function csvWalker(options: CsvOptions, window: RecordWindow, wanted: RecordStarts): Walker {
  const delimiter = delimiterByte(options.delimiter);
  const cells = csvCells(window, delimiter, nothing, nothing);
  let head: TextHead | undefined;
  let records = 0;
  // The next of each in the window, found again once they are passed: most texts have none of them.
  let quoteAt = -1;
  let returnAt = -1;
  let nulAt = -1;

  const next = (byte: number, from: number): number => {
    const found = window.bytes.indexOf(byte, from);
    return found < 0 ? Infinity : found;
  };

  /**
   * Passes over the lines at `start` that are told apart by their ends alone and need not be told of. Answers the start of the
   * first other one.
   */
  function passOver(start: number): number {
    const { bytes, filled } = window;
    findMarks(start);
    const plainTo = Math.min(filled, quoteAt, nulAt);
    const { row, offset } = wanted.next();
    const wantedAt = offset - window.offsetOf(0);
    let at = start;
    let reached = records;
    let lines = 0;
    for (;;) {
      const end = bytes.indexOf(LF, at);
      if (end < 0 || end >= plainTo || end > returnAt + 1) break;
      const isBlank = Math.min(end, returnAt) === at;
      if (!isBlank) {
        if (reached >= row || at >= wantedAt) break;
        reached++;
      }
      lines++;
      at = end + 1;
      if (returnAt < at) returnAt = next(CR, at);
    }
    records = reached;
    cells.line += lines;
    return at;
  }

  function findMarks(from: number): void {
    if (quoteAt < from) quoteAt = next(QUOTE, from);
    if (returnAt < from) returnAt = next(CR, from);
    if (nulAt < from) nulAt = next(0, from);
  }

  /** Where the record at `start` ends, its line end included; -1 when more bytes are needed. */
  function recordEnd(start: number): number {
    const end = window.bytes.indexOf(LF, start);
    if (end >= 0 && end < window.filled) {
      findMarks(start);
      if (end < quoteAt && end < nulAt && end <= returnAt + 1) {
        cells.lines = 0;
        return end + 1;
      }
    }
    return quotedEnd(start);
  }

  /** The same cell by cell. */
  function quotedEnd(start: number): number {
    const { bytes, filled } = window;
    cells.lines = 0;
    for (let at = start; ;) {
      const end = cells.read(0, at);
      if (end < 0) return -1;
      if (end >= filled) return end;
      if (bytes[end] !== delimiter) return cells.afterLineEnd(end);
      at = end + 1;
    }
  }

  function findHead(): boolean {
    const header = readCsvHeader(window, delimiter, cells.line, cells.ended);
    if (!('names' in header)) {
      cells.line += header.blankLines;
      return false;
    }
    head = { from: header.start.offset ?? 0, to: window.offsetOf(header.next) };
    window.position = header.next;
    cells.line = header.line;
    return true;
  }

  return {
    get head() {
      return head;
    },
    get records() {
      return records;
    },
    walk(ended) {
      cells.ended = ended;
      if (options.header && head === undefined && !findHead()) return;
      quoteAt = returnAt = nulAt = -1;
      const { bytes, filled } = window;
      for (let p = window.position; p < filled; window.position = p) {
        const other = passOver(p);
        if (other > p) {
          p = other;
          continue;
        }
        if (bytes[p] === LF || bytes[p] === CR) {
          const after = cells.afterLineEnd(p);
          if (after < 0) return;
          p = after;
          cells.line++;
          continue;
        }
        const end = recordEnd(p);
        if (end < 0) return;
        wanted.startsAt(records++, window.offsetOf(p), cells.line);
        cells.line += cells.lines + 1;
        p = end;
      }
    },
  };
}

function jsonlWalker(window: RecordWindow, onRecord: OnRecord): Walker {
  let { bytes } = window;
  let scanner = jsonScanner(bytes);
  let head: TextHead | undefined;
  let records = 0;
  let line = 1;

  function isJson(from: number, end: number): boolean {
    if (bytes[from] !== OPEN_OBJECT && bytes[from] !== OPEN_ARRAY) return false;
    const after = scanner.skip(from);
    return after >= 0 && scanner.space(after) === end;
  }

  return {
    get head() {
      return head;
    },
    get records() {
      return records;
    },
    walk(ended) {
      if (bytes !== window.bytes) {
        ({ bytes } = window);
        scanner = jsonScanner(bytes);
      }
      const { filled } = window;
      for (let p = window.position; p < filled; window.position = p) {
        const found = bytes.indexOf(LF, p);
        const whole = found >= 0 && found < filled;
        if (!whole && !ended) return;
        const end = whole ? found : filled;
        const after = whole ? end + 1 : end;
        const from = scanner.space(p);
        if (from < end) {
          if (head !== undefined) onRecord(records, window.offsetOf(p), line);
          else if (isJson(from, end)) head = { from: window.offsetOf(p), to: window.offsetOf(after) };
          records++;
        }
        p = after;
        line++;
      }
    },
  };
}

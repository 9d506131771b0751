import { FileFault, withPlace } from './file-fault.ts';
import { atHead, type FilePart } from './file-part.ts';
import { JsonKind, jsonScanner, unescaped } from './json-scanner.ts';
import { headerOf, keyColumns, keyText, type KeyColumns } from './jsonl-columns.ts';
import { plainNumber } from './plain-number.ts';
import { quoted } from './quoted.ts';
import type { ChunkSource, RecordReader } from './record-reader.ts';
import { CellKind, wrongWidth, type CellFault, type RecordLayout, type RecordTarget } from './record-target.ts';
import { MAX_RECORD_BYTES, recordWindow, textStart } from './record-window.ts';

const LF = 10;
const COMMA = 44;
const OPEN_ARRAY = 91;
const OPEN_OBJECT = 123;

const NOT_JSON: CellFault = { code: 'NotJson', reason: 'The line is not a JSON object or array.' };
const EMPTY = Buffer.alloc(0);

export interface JsonlOptions {
  /** Longest line. Default 1 MiB. */
  readonly maxRecordBytes?: number;
  /** What is read of the file: before its own bytes comes the line of the first record. */
  readonly part?: FilePart | undefined;
}

/**
 * The records of a file of JSON lines, each an object or an array. The keys of an object are matched to the names of the wanted
 * columns; a key that is absent, or null, is a missing value. The values of an array are taken in order. All lines are of the
 * first one's kind. What a value means is as in CSV: the text of a string, and a number with all of its digits. Blank lines are
 * skipped. A line that is at fault fails alone. Throws FileFault: `NotJsonl`, `RecordTooLong`, and what the target throws; HeadFault.
 */
export function jsonlReader(target: RecordTarget, source: ChunkSource, options: JsonlOptions = {}): RecordReader {
  const maxRecordBytes = options.maxRecordBytes ?? MAX_RECORD_BYTES;
  const { part } = options;
  const window = recordWindow(maxRecordBytes);
  let bytes = window.bytes;
  let scanner = jsonScanner(bytes);
  let started = false;
  let ended = false;
  let chunk: Uint8Array | undefined;
  let chunkOffset = 0;

  let layout: RecordLayout | undefined;
  let keys: KeyColumns | undefined;
  let header: readonly string[] = [];
  /** For each column the row that filled it last: tells what the record lacks. */
  let filledBy = new Float64Array(0);
  let row = part?.row ?? 0;
  let line = 1;
  let slots = 0;
  let full = false;

  async function fill(): Promise<void> {
    if (window.full && !window.makeRoom()) {
      throw new FileFault('RecordTooLong', `A record is longer than ${maxRecordBytes} bytes.`, {
        line,
        offset: window.offsetOf(window.position),
      });
    }
    while (!window.full && !ended) {
      chunk ??= await source.next();
      if (chunk === undefined) {
        ended = true;
        return;
      }
      chunkOffset += window.take(chunk, chunkOffset);
      if (chunkOffset < chunk.length) continue;
      chunk = undefined;
      chunkOffset = 0;
    }
  }

  /** Reads whole lines. False: the batch is full. */
  function readLines(): boolean {
    if (bytes !== window.bytes) {
      bytes = window.bytes;
      scanner = jsonScanner(bytes);
    }
    const { filled } = window;
    if (!started) {
      if (part !== undefined && part.row > 0) {
        if (filled < part.headBytes) return true;
        readHead(part);
      } else {
        window.position = textStart(window, 'NotJsonl');
      }
      started = true;
    }
    for (let p = window.position; p < filled;) {
      const found = bytes.indexOf(LF, p);
      // Beyond `filled` lie bytes of lines that were read before.
      const whole = found >= 0 && found < filled;
      if (!whole && !ended) break;
      const end = whole ? found : filled;
      const from = scanner.space(p);
      if (from < end) {
        if (full) return false;
        readRecord(from, end, window.offsetOf(p));
      }
      p = whole ? end + 1 : end;
      window.position = p;
      line++;
    }
    return true;
  }

  /** Opens the target with the first record of the file, which another part scores. */
  function readHead({ from, headBytes, line: first = 1 }: FilePart): void {
    const start = scanner.space(0);
    layout = atHead(part, () => open(bytes[start] === OPEN_OBJECT, start));
    window.position = headBytes;
    window.moveTo(from);
    line = first;
  }

  function readRecord(from: number, end: number, offset: number): void {
    const fault = readValues(from, end);
    if (fault === undefined) full = target.kept(slots++, row, line, offset);
    else full = target.failed({ row, line, offset, code: fault.code, reason: fault.reason });
    row++;
  }

  function readValues(from: number, end: number): CellFault | undefined {
    const isObject = bytes[from] === OPEN_OBJECT;
    if (!isObject && bytes[from] !== OPEN_ARRAY) return NOT_JSON;
    // Once over the whole line: nothing of a record that is not JSON reaches the target.
    const after = scanner.skip(from);
    if (after < 0 || scanner.space(after) !== end) return NOT_JSON;
    layout ??= open(isObject, from);
    if (isObject !== (keys !== undefined)) {
      const [is, first] = isObject ? ['an object', 'an array'] : ['an array', 'an object'];
      return { code: 'MixedRecords', reason: `The line is ${is}, but the first record of the file is ${first}.` };
    }
    return keys === undefined ? readArray(layout, from) : readObject(layout, keys, from);
  }

  function open(isObject: boolean, from: number): RecordLayout {
    if (!isObject) return target.open(undefined);
    const names: string[] = [];
    eachKey(from, (start, end, escaped, value) => {
      names.push(keyText(bytes, start, end, escaped));
      return scanner.skip(value);
    });
    header = headerOf(names, target.wanted);
    keys = keyColumns(header);
    const opened = withPlace({ line, offset: window.offsetOf(from) }, () => target.open(header));
    filledBy = new Float64Array(opened.width).fill(-1);
    return opened;
  }

  /** `visit` gets the places of a key's text and of its value, and answers the place after the value. The line is known to be JSON. */
  function eachKey(from: number, visit: (start: number, end: number, escaped: boolean, value: number) => number): void {
    let p = scanner.space(from + 1);
    while (bytes[p] !== 125) {
      const end = scanner.skip(p);
      const { escaped } = scanner;
      p = scanner.space(visit(p + 1, end - 1, escaped, scanner.space(scanner.space(end) + 1)));
      if (bytes[p] === COMMA) p = scanner.space(p + 1);
    }
  }

  function readObject(layout: RecordLayout, keys: KeyColumns, from: number): CellFault | undefined {
    let fault: CellFault | undefined;
    let place = 0;
    eachKey(from, (start, end, escaped, value) => {
      const column = keys.find(place++, bytes, start, end, escaped);
      const after = scanner.skip(value);
      if (column < 0 || layout.kinds[column] === CellKind.Skip) return after;
      if (filledBy[column] === row) {
        fault ??= { code: 'DuplicateKey', reason: `The object has the key ${quoted(header[column] ?? '')} twice.` };
      }
      filledBy[column] = row;
      fault ??= put(layout, column, value, after);
      return after;
    });
    for (let column = 0; column < layout.width && fault === undefined; column++) {
      if (filledBy[column] === row || layout.kinds[column] === CellKind.Skip) continue;
      fault = target.cell(column, slots, EMPTY, 0, 0);
    }
    return fault;
  }

  function readArray(layout: RecordLayout, from: number): CellFault | undefined {
    let fault: CellFault | undefined;
    let column = 0;
    let p = scanner.space(from + 1);
    while (bytes[p] !== 93) {
      const after = scanner.skip(p);
      if (column < layout.width && layout.kinds[column] !== CellKind.Skip) fault ??= put(layout, column, p, after);
      column++;
      p = scanner.space(after);
      if (bytes[p] === COMMA) p = scanner.space(p + 1);
    }
    return column === layout.width ? fault : wrongWidth(column, layout.width);
  }

  /** Puts the value that the scanner went over last where the column has it. */
  function put(layout: RecordLayout, column: number, start: number, end: number): CellFault | undefined {
    const kind = layout.kinds[column] as number;
    switch (scanner.kind) {
      case JsonKind.Number: {
        const value = kind <= CellKind.Integer ? plainNumber(bytes, start, end, kind === CellKind.Integer) : NaN;
        if (Number.isNaN(value)) return target.cell(column, slots, bytes, start, end);
        layout.values[(layout.base[column] as number) + slots * (layout.step[column] as number)] = value;
        return undefined;
      }
      case JsonKind.True:
      case JsonKind.False:
        return target.cell(column, slots, bytes, start, end);
      case JsonKind.String: {
        const text = scanner.escaped ? unescaped(bytes, start + 1, end - 1) : undefined;
        if (text === undefined) return target.cell(column, slots, bytes, start + 1, end - 1);
        const plain = Buffer.from(text);
        return target.cell(column, slots, plain, 0, plain.length);
      }
      case JsonKind.Null:
        return target.cell(column, slots, EMPTY, 0, 0);
      case JsonKind.Object:
      case JsonKind.Array: {
        const what = scanner.kind === JsonKind.Object ? 'an object' : 'an array';
        const name = quoted(header[column] ?? String(column + 1));
        return { code: 'NestedValue', reason: `Column ${name} has ${what}, expected a single value.` };
      }
    }
  }

  return {
    async read() {
      slots = 0;
      full = false;
      for (;;) {
        await fill();
        if (!readLines()) return { records: slots, last: false };
        if (ended) return { records: slots, last: true };
      }
    },
    close: () => source.close(),
  };
}

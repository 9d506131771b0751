import { FileFault } from './file-fault.ts';

/** Longest record of a text file, line end included. */
export const MAX_RECORD_BYTES = 1024 * 1024;

const WINDOW_BYTES = 64 * 1024;
const PADDING = 8;

/**
 * The bytes of a text file that are being read. It starts at a record once there is no more room, so that chunks may be cut
 * anywhere and memory is bounded by the longest record. The byte after the window is always NUL, and a few more follow: inner
 * loops stop there without comparing positions, and may look at four bytes at once.
 */
export interface RecordWindow {
  readonly bytes: Buffer;
  /** The same bytes. */
  readonly view: DataView;
  readonly filled: number;
  readonly full: boolean;
  /** Where the next record starts. */
  position: number;
  /** Offset in the file of the byte at `index`. */
  offsetOf(index: number): number;
  /** Copies what fits of `chunk` from `from` on; answers how many bytes that were. */
  take(chunk: Uint8Array, from: number): number;
  /** The byte at `position` is the one at `offset` of the file: what came before it lies elsewhere. */
  moveTo(offset: number): void;
  /** Moves what is not read yet to the start; a window that one record fills grows. False: that record is too long. */
  makeRoom(): boolean;
}

export function recordWindow(maxRecordBytes = MAX_RECORD_BYTES): RecordWindow {
  let size = Math.min(WINDOW_BYTES, maxRecordBytes);
  let bytes: Buffer = Buffer.alloc(size + PADDING);
  let view = viewOf(bytes);
  let filled = 0;
  let start = 0;
  const window: RecordWindow = {
    position: 0,
    get bytes() {
      return bytes;
    },
    get view() {
      return view;
    },
    get filled() {
      return filled;
    },
    get full() {
      return filled === size;
    },
    offsetOf: (index) => start + index,
    moveTo(offset) {
      start = offset - window.position;
    },
    take(chunk, from) {
      const count = Math.min(size - filled, chunk.length - from);
      if (count === 0) return 0;
      bytes.set(count === chunk.length ? chunk : chunk.subarray(from, from + count), filled);
      filled += count;
      bytes[filled] = 0;
      return count;
    },
    makeRoom() {
      const { position } = window;
      if (position > 0) {
        bytes.copyWithin(0, position, filled);
        filled -= position;
        start += position;
        window.position = 0;
        bytes[filled] = 0;
        return true;
      }
      if (size >= maxRecordBytes) return false;
      size = Math.min(size * 2, maxRecordBytes);
      const larger = Buffer.alloc(size + PADDING);
      larger.set(bytes.subarray(0, filled));
      bytes = larger;
      view = viewOf(bytes);
      return true;
    },
  };
  return window;
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);

/**
 * Where the text of a file begins: after its UTF-8 byte order mark, if there is one. Throws FileFault `code` for what is
 * known by its first bytes not to be UTF-8 text.
 */
export function textStart({ bytes, filled }: RecordWindow, code: string): number {
  const [first, second, third, fourth] = bytes;
  if (filled >= 3 && first === 0xef && second === 0xbb && third === 0xbf) return 3;
  const refuse = (reason: string) => {
    throw new FileFault(code, reason, { line: 1, offset: 0 });
  };
  if (filled >= 2 && ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))) {
    refuse('The file is UTF-16 text; only UTF-8 is read.');
  }
  if (filled >= 2 && first === 0x1f && second === 0x8b) {
    refuse('The file is gzip; its name must end in .gz, or its Content-Encoding be gzip.');
  }
  // A text may start with PAR1 too, but then no control character follows.
  const mark = filled >= 5 && first === 0x50 && second === 0x41 && third === 0x52 && fourth === 0x31;
  if (mark && (bytes[4] as number) < 0x20 && bytes[4] !== 10 && bytes[4] !== 13 && bytes[4] !== 9) {
    refuse('The file is Parquet; its name must end in .parquet.');
  }
  return 0;
}

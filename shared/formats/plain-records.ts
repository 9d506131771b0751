import { kernel, type Kernel } from './kernel.ts';
import { PLAIN_RECORDS } from './plain-records-bytes.ts';
import { CellKind, type RecordLayout } from './record-target.ts';
import type { RecordWindow } from './record-window.ts';

/** Reads whole records that are plainly numbers, many at once, in WebAssembly: a third of the time of the loop in JavaScript. */
export interface PlainRecords {
  /**
   * Puts the records from `position` of the window on into the slots from `slot` on, up to the first one that is not plainly
   * numbers, or not all there. Answers how many; the places of each, and of what follows them, are in `starts`.
   */
  read(window: RecordWindow, position: number, slot: number): number;
  /** Valid until anybody reads again. */
  readonly starts: Int32Array;
}

/** Larger windows hold records of over 64 KiB. */
const WINDOW_BYTES = 64 * 1024;
/** No digits, so that looking eight bytes ahead ends there. */
const PADDING = 16;
const MOST_COLUMNS = 4096;
/** A cell has two bytes at least. */
const MOST_CELLS = WINDOW_BYTES / 2;
const MOST_DIGITS = 19;

const PLACES_AT = WINDOW_BYTES + PADDING;
const POWERS_AT = PLACES_AT + 4 * MOST_COLUMNS;
const STARTS_AT = POWERS_AT + 8 * (MOST_DIGITS + 1);
const NUMBERS_AT = STARTS_AT + 4 * (MOST_CELLS + 1);
const END = NUMBERS_AT + 4 * (MOST_CELLS + MOST_COLUMNS);

interface Reading extends Kernel {
  readonly bytes: Uint8Array;
  readonly numbers: Float32Array;
  readonly starts: Int32Array;
  /** Whose columns are in `places`. */
  layout?: RecordLayout;
  /** What is in `bytes`. */
  copied?: Copied;
}

/** The bytes of a window from `position` on, which lie elsewhere in it once its first byte is another one of the file. */
interface Copied {
  readonly window: RecordWindow;
  readonly origin: number;
  readonly position: number;
  readonly filled: number;
}

/** One for the thread: nobody waits between two looks at it. */
let shared: Reading | undefined;

function start(): Reading {
  const made = kernel(PLAIN_RECORDS, 'read', END);
  const { memory } = made;
  const powers = Array.from({ length: MOST_DIGITS + 1 }, (_, exponent) => BigInt.asIntN(64, 10n ** BigInt(exponent)));
  new BigInt64Array(memory, POWERS_AT).set(powers);
  return {
    ...made,
    bytes: new Uint8Array(memory),
    numbers: new Float32Array(memory, NUMBERS_AT),
    starts: new Int32Array(memory, STARTS_AT),
  };
}

/** Undefined where the columns are not, in any order, one whole matrix of float32. */
export function plainRecords(layout: RecordLayout, delimiter: number): PlainRecords | undefined {
  const { width, kinds, base, step, values } = layout;
  const first = base.reduce((least, place) => Math.min(least, place), Infinity);
  const places = new Set(base);
  const matrix =
    values instanceof Float32Array &&
    width > 0 &&
    width <= MOST_COLUMNS &&
    places.size === width &&
    base.every((place) => place < first + width) &&
    step.every((size) => size === width) &&
    kinds.every((kind) => kind === CellKind.Decimal);
  if (!matrix) return undefined;
  const { starts } = (shared ??= start());

  return {
    starts,
    read(window, position, slot) {
      const reading = (shared ??= start());
      const { bytes, filled } = window;
      if (filled > WINDOW_BYTES) return 0;
      const origin = window.offsetOf(0);
      const { copied } = reading;
      const there = copied?.window === window && copied.origin === origin && copied.filled === filled;
      if (!there || position < copied.position) {
        reading.bytes.set(bytes.subarray(position, filled), position);
        reading.bytes.fill(0, filled, filled + PADDING);
        reading.copied = { window, origin, position, filled };
      }
      if (reading.layout !== layout) {
        const columns = new Int32Array(reading.memory, PLACES_AT, width);
        columns.set(base.map((place) => (place - first) * 4));
        reading.layout = layout;
      }
      const limit = Math.floor((values.length - first) / width) - slot;
      const count = reading.call(
        ...[position, filled, limit, width, delimiter],
        ...[PLACES_AT, POWERS_AT, STARTS_AT, NUMBERS_AT],
      );
      values.set(reading.numbers.subarray(0, count * width), first + slot * width);
      return count;
    },
  };
}

import { POWERS_OF_TEN } from './plain-number.ts';
import { CellKind, MAX_PLAIN_INTEGER, type RecordLayout } from './record-target.ts';
import type { RecordWindow } from './record-window.ts';

/** Where a record's cells are read: the loop below keeps its place here between two calls. */
export interface CellScan {
  readonly window: RecordWindow;
  readonly delimiter: number;
  /** Of the file; undefined before its header is read. */
  layout: RecordLayout | undefined;
  /** Step of every number's column; -1 when columns differ. */
  stride: number;
  /** Next cell of the record: its column and where it starts. */
  column: number;
  at: number;
}

export function cellScan(window: RecordWindow, delimiter: number): CellScan {
  return { window, delimiter, layout: undefined, stride: -1, column: 0, at: 0 };
}

/** The step that all columns of numbers share, or -1. */
export function strideOf({ kinds, step }: RecordLayout): number {
  const steps = new Set(Array.from(step).filter((_, column) => (kinds[column] as number) <= CellKind.Integer));
  const [stride = -1] = steps;
  return steps.size === 1 ? stride : -1;
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

/*
 * Four bytes at a time, as one little-endian integer: the exclusive or with four zeros makes digits 0 to 9, and adding
 * NOT_DIGITS sets the high bit of every byte that is more. Random lengths then cost no mispredicted branch a digit.
 */
const FOUR_ZEROS = 0x30303030;
const NOT_DIGITS = 0x76767676;
const HIGH_BITS = 0x80808080 | 0;

/**
 * Reads cells that are plainly numbers, as nearly all are, straight into the layout's values, from the scan's place on. True:
 * the record has ended with the LF at `scan.at`. False: the cell at the scan's place is for somebody else. Not a closure:
 * one that is made for each file is compiled again for each.
 */
export function readPlainCells(scan: CellScan, layout: RecordLayout, slot: number): boolean {
  const { bytes, view } = scan.window;
  const { kinds, base, step, values, width } = layout;
  const { delimiter, stride } = scan;
  const powers = POWERS_OF_TEN;
  const decimal: number = CellKind.Decimal;
  const lastNumeric: number = CellKind.Integer;
  const row = slot * stride;
  let { column, at } = scan;
  while (column < width) {
    const kind = kinds[column] as number;
    if (kind > lastNumeric) break;
    // 1 after a minus sign, else 0: signs come at random, and a branch would be guessed wrong.
    const minus = (((bytes[at] as number) ^ MINUS) - 1) >>> 31;
    let q = at + minus;
    let four = view.getInt32(q, true) ^ FOUR_ZEROS;
    let others = (four | (four + NOT_DIGITS)) & HIGH_BITS;
    let mantissa = 0;
    let count = 0;
    if (others === 0) {
      four = Math.imul(four, 10) + (four >>> 8);
      mantissa = (four & 0xff) * 100 + ((four >>> 16) & 0xff);
      count = 4;
      q += 4;
      four = view.getInt32(q, true) ^ FOUR_ZEROS;
      others = (four | (four + NOT_DIGITS)) & HIGH_BITS;
      if (others === 0) break;
    }
    // The digits before the first other byte, moved to the end of the four: 0 to 3 of them.
    let bits = 24 - Math.clz32(others & -others);
    four = (four << (24 - bits)) << 8;
    four = Math.imul(four, 10) + (four >>> 8);
    mantissa = mantissa * (powers[bits >> 3] as number) + (four & 0xff) * 100 + ((four >>> 16) & 0xff);
    count += bits >> 3;
    q += bits >> 3;
    let scale = 0;
    let b = bytes[q] as number;
    if (b === DOT) {
      if (kind !== decimal) break;
      const point = ++q;
      four = view.getInt32(q, true) ^ FOUR_ZEROS;
      others = (four | (four + NOT_DIGITS)) & HIGH_BITS;
      while (others === 0) {
        four = Math.imul(four, 10) + (four >>> 8);
        mantissa = mantissa * 10_000 + (four & 0xff) * 100 + ((four >>> 16) & 0xff);
        q += 4;
        four = view.getInt32(q, true) ^ FOUR_ZEROS;
        others = (four | (four + NOT_DIGITS)) & HIGH_BITS;
      }
      bits = 24 - Math.clz32(others & -others);
      four = (four << (24 - bits)) << 8;
      four = Math.imul(four, 10) + (four >>> 8);
      mantissa = mantissa * (powers[bits >> 3] as number) + (four & 0xff) * 100 + ((four >>> 16) & 0xff);
      q += bits >> 3;
      b = bytes[q] as number;
      scale = q - point;
      count += scale;
    }
    // Few enough digits to be exact, and the byte after them is known.
    if (count === 0 || count > (kind === decimal ? EXACT_DIGITS : PLAIN_INTEGER_DIGITS)) break;
    if (b !== delimiter && b !== LF) break;
    const place = (base[column] as number) + (stride < 0 ? slot * (step[column] as number) : row);
    values[place] = (mantissa / (powers[scale] as number)) * (1 - minus - minus);
    column++;
    if (b === LF) {
      scan.column = column;
      scan.at = q;
      return true;
    }
    at = q + 1;
  }
  scan.column = column;
  scan.at = at;
  return false;
}

/**
 * Reads a number of more digits, or one before a CR, digit by digit. Answers the position of the byte that ends it; -1 when
 * the cell is not plainly a number or needs all its digits.
 */
export function readLongNumber(scan: CellScan, layout: RecordLayout, slot: number): number {
  const { column, at } = scan;
  const { bytes } = scan.window;
  const { kinds, base, step, values, width } = layout;
  const kind = column < width ? (kinds[column] as number) : CellKind.Skip;
  if (kind > CellKind.Integer) return -1;
  const negative = bytes[at] === MINUS;
  const start = negative ? at + 1 : at;
  let q = start;
  let mantissa = 0;
  let point = -1;
  for (;;) {
    const digit = (bytes[q] as number) ^ ZERO;
    if (digit < 10) mantissa = mantissa * 10 + digit;
    else if (bytes[q] === DOT && point < 0 && kind === CellKind.Decimal) point = q;
    else break;
    q++;
  }
  const count = point < 0 ? q - start : q - start - 1;
  const scale = point < 0 ? 0 : q - point - 1;
  const b = bytes[q];
  if (count === 0 || scale > 22 || (b !== scan.delimiter && b !== LF && b !== CR)) return -1;
  const value = mantissa / (POWERS_OF_TEN[scale] as number);
  if (mantissa > (kind === CellKind.Decimal ? Number.MAX_SAFE_INTEGER : MAX_PLAIN_INTEGER)) {
    // More digits than a double holds. The mantissa is off by less than 2^-47 of itself; when both ends of that range are
    // the same float32, the error does not matter.
    const narrow = values instanceof Float32Array && kind === CellKind.Decimal && count <= 26;
    if (!narrow || Math.fround(value * (1 - 2 ** -46)) !== Math.fround(value * (1 + 2 ** -46))) return -1;
  }
  values[(base[column] as number) + slot * (step[column] as number)] = negative ? -value : value;
  return q;
}

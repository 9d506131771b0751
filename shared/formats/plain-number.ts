import { MAX_PLAIN_INTEGER } from './record-target.ts';

const MINUS = 45;
const DOT = 46;
const ZERO = 48;

/** Powers of ten that a double holds exactly: a quotient of two exact doubles is correctly rounded. */
export const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** The value of a JSON number that is plainly digits with at most one point, when it is exact so; NaN for every other. */
export function plainNumber(bytes: Uint8Array, start: number, end: number, integer: boolean): number {
  let p = start;
  const negative = bytes[p] === MINUS;
  if (negative) p++;
  let mantissa = 0;
  let scale = -1;
  for (; p < end; p++) {
    const b = bytes[p] as number;
    if (b === DOT && scale < 0 && !integer) scale = 0;
    else if (b < ZERO || b > 57) return NaN;
    else {
      mantissa = mantissa * 10 + (b - ZERO);
      if (scale >= 0) scale++;
    }
  }
  if (mantissa > (integer ? MAX_PLAIN_INTEGER : Number.MAX_SAFE_INTEGER) || scale > 22) return NaN;
  const value = scale > 0 ? mantissa / (POWERS_OF_TEN[scale] as number) : mantissa;
  return negative ? -value : value;
}

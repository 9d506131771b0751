import { POWERS_OF_TEN } from './plain-number.ts';

/** Bytes that `writeFloat32`, `writeInteger` need at most at the place they write to. */
export const MAX_NUMBER_BYTES = 24;

const MINUS = 45;
const DOT = 46;
const ZERO = 48;

const bits = new Float32Array(1);
const bitsAsInteger = new Uint32Array(bits.buffer);

/** Smallest and largest biased exponents of the fast path: from 2^-40, about 1e-12, to 2^23. */
const MIN_EXPONENT = 127 - 40;
const MAX_EXPONENT = 127 + 22;

/** Whole numbers up to here are float32s without a gap: all their digits are needed. */
const MAX_WHOLE = 2 ** 24;

/** For each biased exponent the fewest decimals whose step is not wider than the gap between neighbouring float32s. */
const DECIMALS = Uint8Array.from({ length: MAX_EXPONENT + 1 }, (_, exponent) => {
  const gap = 2 ** (exponent - 127 - 23);
  let decimals = 0;
  while (10 ** -decimals > gap) decimals++;
  return Math.min(decimals, 22);
});

/** Texts of powers of two by their biased exponent, of 0 at 0. */
const powersOfTwo: string[] = [];

/**
 * Writes a float32 as the shortest decimal that reads back to the same float32, and answers the position after it.
 * What is not a number is `nan`, `inf`, `-inf`, as pandas reads and writes them.
 */
export function writeFloat32(value: number, out: Buffer, at: number): number {
  // Most of what classifiers give is 0 or 1.
  const whole = value | 0;
  if (whole === value && whole >= -MAX_WHOLE && whole <= MAX_WHOLE && !Object.is(value, -0)) {
    return writeInteger(whole, out, at);
  }
  bits[0] = value;
  const raw = bitsAsInteger[0] as number;
  const exponent = (raw >>> 23) & 0xff;
  let p = at;
  let x = value;
  if (raw >>> 31 === 1 && exponent < 255) {
    out[p++] = MINUS;
    x = -value;
  }
  // A power of two has a narrower gap below than above. Saturated probabilities are often one: 1 - 2^-24 leaves 2^-24.
  if ((raw & 0x7fffff) === 0 && exponent < 255) return writeAscii((powersOfTwo[exponent] ??= float32Text(x)), out, p);
  if (exponent < MIN_EXPONENT || exponent > MAX_EXPONENT) return writeAscii(float32Text(x), out, p);
  // At this many decimals the nearest whole number always reads back; fewer decimals are tried while they do too.
  let decimals = DECIMALS[exponent] as number;
  let scaled = Math.round(x * (POWERS_OF_TEN[decimals] as number));
  while (decimals > 0) {
    const power = POWERS_OF_TEN[decimals - 1] as number;
    const shorter = Math.round(x * power);
    if (shorter === 0 || Math.fround(shorter / power) !== x) break;
    scaled = shorter;
    decimals--;
  }
  // Here 0 < scaled < 2^28: at most nine digits.
  const digits = digitCount(scaled);
  if (decimals === 0) return writeDigits(scaled, digits, out, p);
  if (digits > decimals) {
    const power = POWERS_OF_TEN[decimals] as number;
    const whole = Math.floor(scaled / power);
    p = writeDigits(whole, digits - decimals, out, p);
    out[p++] = DOT;
    return writeDigits(scaled - whole * power, decimals, out, p);
  }
  if (decimals - digits < 5) {
    out[p++] = ZERO;
    out[p++] = DOT;
    return writeDigits(scaled, decimals, out, p);
  }
  return writeScientific(scaled, digits, digits - 1 - decimals, out, p);
}

/** Writes a whole number between -(2^53 - 1) and 2^53 - 1, and answers the position after it. */
export function writeInteger(value: number, out: Buffer, at: number): number {
  let p = at;
  let rest = value;
  if (value < 0) {
    out[p++] = MINUS;
    rest = -value;
  }
  if (rest < 1_000_000_000) return writeDigits(rest, digitCount(rest), out, p);
  const high = Math.floor(rest / 1_000_000_000);
  p = writeInteger(high, out, p);
  return writeDigits(rest - high * 1_000_000_000, 9, out, p);
}

/** A double as the shortest decimal that reads back to the same double; `nan`, `inf`, `-inf`. */
export function float64Text(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}

/** A float32 as the shortest decimal that reads back to the same float32; `nan`, `inf`, `-inf`. */
export function float32Text(value: number): string {
  if (!Number.isFinite(value) || value === 0) return float64Text(value);
  for (let precision = 1; precision < 9; precision++) {
    const text = value.toPrecision(precision);
    // Number() drops zeros and the exponent that toPrecision writes where it is not needed.
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}

function digitCount(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  if (value < 100_000_000) return value < 10_000_000 ? 7 : 8;
  return 9;
}

/** Exactly `count` digits of a whole number below 10^9 (zeros in front when it is shorter). */
function writeDigits(value: number, count: number, out: Buffer, at: number): number {
  let rest = value | 0;
  for (let p = at + count - 1; p >= at; p--) {
    const next = (rest / 10) | 0;
    out[p] = ZERO + rest - next * 10;
    rest = next;
  }
  return at + count;
}

/** `d.ddde-XX`, which is how String() writes numbers below 1e-6. */
function writeScientific(scaled: number, digits: number, exponent: number, out: Buffer, at: number): number {
  let p = writeDigits(scaled, digits, out, at + 1);
  out[at] = out[at + 1] as number;
  if (digits === 1) p = at + 1;
  else out[at + 1] = DOT;
  out[p++] = 101;
  out[p++] = MINUS;
  return writeInteger(-exponent, out, p);
}

/** The caller has made room. */
export function writeAscii(text: string, out: Buffer, at: number): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

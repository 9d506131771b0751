import { isUtf8 } from 'node:buffer';

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INTEGER = /^[+-]?\d+$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

/** What pandas.read_csv takes for a missing value by default (its `na_values`), the empty text included. */
const MISSING = new Set([
  '',
  '#N/A',
  '#N/A N/A',
  '#NA',
  '-1.#IND',
  '-1.#QNAN',
  '-NaN',
  '-nan',
  '1.#IND',
  '1.#QNAN',
  '<NA>',
  'N/A',
  'NA',
  'NULL',
  'NaN',
  'None',
  'n/a',
  'nan',
  'null',
]);

/** The text of a cell, or undefined when its bytes are not UTF-8. */
export function decodeText(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString('utf8', start, end);
  // The replacement character may be in the data itself: only then is the strict check worth its price.
  if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end))) return undefined;
  return text;
}

/** True for texts that mean "no value" in a numeric column. Expects trimmed text. */
export function isMissing(text: string): boolean {
  return MISSING.has(text);
}

/** The nearest double of a decimal or infinity; undefined for everything else, hexadecimal included. */
export function parseDecimal(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  if (INFINITE.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return undefined;
}

/** Whether a text means infinity, as opposed to a number that is too large. */
export const isInfinity = (text: string): boolean => INFINITE.test(text);

/** An exact integer; `5.0` and `1e3` count when they are whole and below 2^53. */
export function parseInteger(text: string): bigint | undefined {
  if (INTEGER.test(text)) return BigInt(text.startsWith('+') ? text.slice(1) : text);
  const value = DECIMAL.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

/** `true` and `false` in the three usual spellings, `1` and `0`. */
export function parseBoolean(text: string): boolean | undefined {
  switch (text) {
    case 'true':
    case 'True':
    case 'TRUE':
    case '1':
      return true;
    case 'false':
    case 'False':
    case 'FALSE':
    case '0':
      return false;
    default:
      return undefined;
  }
}

import { isUtf8 } from 'node:buffer';

const QUOTE = 34;
const BACKSLASH = 92;
const MINUS = 45;
const ZERO = 48;
const MAX_DEPTH = 256;

/** Kinds of JSON values, as `JsonScanner.kind` tells them. */
export const JsonKind = { String: 0, Number: 1, True: 2, False: 3, Null: 4, Object: 5, Array: 6 } as const;
export type JsonKind = (typeof JsonKind)[keyof typeof JsonKind];

/**
 * Walks over a line of JSON (RFC 8259) as bytes, so that numbers keep all of their digits. Positions are places in `bytes`; a line
 * feed, or a NUL after the last line, ends what can be walked over. Answers -1 where the text is not JSON.
 */
export interface JsonScanner {
  /** Kind of the value that `skip` went over last, and for a string whether it has escapes. */
  readonly kind: JsonKind;
  readonly escaped: boolean;
  /** The first byte at or after `at` that is not space; a line feed ends the line and is none. */
  space(at: number): number;
  /** Goes over one value. Answers the position after it. */
  skip(at: number): number;
}

export function jsonScanner(bytes: Buffer): JsonScanner {
  let kind: JsonKind = JsonKind.Null;
  let escaped = false;

  function space(at: number): number {
    let p = at;
    for (let b = bytes[p]; b === 32 || b === 9 || b === 13; b = bytes[p]) p++;
    return p;
  }

  function string(at: number): number {
    let p = at + 1;
    escaped = false;
    for (;;) {
      const b = bytes[p] as number;
      if (b === QUOTE) break;
      if (b < 32) return -1;
      if (b !== BACKSLASH) {
        p++;
        continue;
      }
      escaped = true;
      const next = bytes[p + 1] as number;
      if (next === 117) {
        for (let k = p + 2; k < p + 6; k++) if (!isHex(bytes[k] as number)) return -1;
        p += 6;
      } else if ('"\\/bfnrt'.includes(String.fromCharCode(next)) && next !== 0) {
        p += 2;
      } else {
        return -1;
      }
    }
    kind = JsonKind.String;
    return p + 1;
  }

  function digits(at: number): number {
    let p = at;
    while (isDigit(bytes[p] as number)) p++;
    return p === at ? -1 : p;
  }

  function number(at: number): number {
    let p = bytes[at] === MINUS ? at + 1 : at;
    p = bytes[p] === ZERO ? p + 1 : digits(p);
    if (p > 0 && bytes[p] === 46) p = digits(p + 1);
    if (p > 0 && ((bytes[p] as number) | 32) === 101) {
      const sign = bytes[p + 1];
      p = digits(sign === 43 || sign === MINUS ? p + 2 : p + 1);
    }
    kind = JsonKind.Number;
    return p;
  }

  function word(at: number, text: string, of: JsonKind): number {
    for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return -1;
    kind = of;
    return at + text.length;
  }

  function group(at: number, close: number, depth: number): number {
    if (depth >= MAX_DEPTH) return -1;
    const named = close === 125;
    let p = space(at + 1);
    if (bytes[p] !== close) {
      for (;;) {
        if (named) {
          if (bytes[p] !== QUOTE) return -1;
          p = string(p);
          if (p < 0) return -1;
          p = space(p);
          if (bytes[p] !== 58) return -1;
          p = space(p + 1);
        }
        p = value(p, depth + 1);
        if (p < 0) return -1;
        p = space(p);
        if (bytes[p] === close) break;
        if (bytes[p] !== 44) return -1;
        p = space(p + 1);
      }
    }
    kind = named ? JsonKind.Object : JsonKind.Array;
    return p + 1;
  }

  function value(at: number, depth: number): number {
    switch (bytes[at]) {
      case QUOTE:
        return string(at);
      case 123:
        return group(at, 125, depth);
      case 91:
        return group(at, 93, depth);
      case 116:
        return word(at, 'true', JsonKind.True);
      case 102:
        return word(at, 'false', JsonKind.False);
      case 110:
        return word(at, 'null', JsonKind.Null);
      default:
        return number(at);
    }
  }

  return {
    get kind() {
      return kind;
    },
    get escaped() {
      return escaped;
    },
    space,
    skip: (at) => value(at, 0),
  };
}

const isDigit = (b: number): boolean => b >= ZERO && b <= 57;
const isHex = (b: number): boolean => isDigit(b) || ((b | 32) >= 97 && (b | 32) <= 102);

/** The text of a JSON string between the quotes at `start - 1` and `end`; undefined when its bytes are not UTF-8. */
export function unescaped(bytes: Buffer, start: number, end: number): string | undefined {
  if (!isUtf8(bytes.subarray(start, end))) return undefined;
  return JSON.parse(bytes.toString('utf8', start - 1, end + 1)) as string;
}

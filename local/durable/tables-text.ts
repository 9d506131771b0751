import { createHash } from 'node:crypto';

/** A property holds 64 KiB of UTF-16. */
const propertyChars = 30_000;
/** A row holds 1 MiB; thirteen properties of two bytes a character leave room for the others. */
export const rowChars = 13 * propertyChars;

/** A row as the SDK takes and gives it. */
export interface Row {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly [property: string]: unknown;
}

/** Cuts a text into pieces of at most `size` characters, never through a surrogate pair. */
function cut(text: string, size: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + size;
    // A lone half of a pair is no Unicode text, and storage may refuse it.
    const splitsPair = end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1));
    const next = splitsPair ? end - 1 : end;
    pieces.push(text.slice(at, next));
    at = next;
  }
  return pieces;
}

/** A text of up to `rowChars` characters as properties of a row. */
export function textProperties(text: string): Record<string, string> {
  return Object.fromEntries(cut(text, propertyChars).map((piece, index) => [`text${index}`, piece]));
}

/** The text in a row's properties. */
export function textOf(row: Row): string {
  let text = '';
  for (let index = 0; ; index++) {
    const piece = row[`text${index}`];
    if (typeof piece !== 'string') return text;
    text += piece;
  }
}

/** A text of any length as rows; `rowKey` names them by their number. */
export function textRows(partitionKey: string, text: string, rowKey: (index: number) => string): Row[] {
  return cut(text, rowChars).map((piece, index) => ({
    partitionKey,
    rowKey: rowKey(index),
    ...textProperties(piece),
  }));
}

/** Characters of a row's texts, as a measure of its size. */
export function charsOf(row: Row): number {
  let chars = 0;
  for (const value of Object.values(row)) if (typeof value === 'string') chars += value.length;
  return chars;
}

const longestKey = 400;

/**
 * The partition of an instance. Keys may hold neither / \ # ? nor control characters, and 1 KiB at most: whatever is
 * not plain is written as its code, and what is too long ends in a hash.
 */
export function partitionOf(instanceId: string): string {
  const key = instanceId.replace(/[^A-Za-z0-9:@._-]/gu, (character) => `~${character.codePointAt(0)?.toString(16)}~`);
  if (key.length <= longestKey) return key;
  return `${key.slice(0, longestKey)}~${createHash('sha256').update(instanceId).digest('hex')}`;
}

import { unescaped } from './json-scanner.ts';

/** Columns that are remembered by their place in the object, and bytes of their names. */
const MAX_PLACES = 4096;
const MAX_NAME_BYTES = 256;

/** Finds the column of an object's key. */
export interface KeyColumns {
  /** The column of the `place`th key, whose text lies between `start` and `end`; -1: no column has this name. */
  find(place: number, bytes: Buffer, start: number, end: number, escaped: boolean): number;
}

/**
 * Objects of a file mostly have their keys in one order: the key that stood at a place last time is compared as bytes, and only
 * another one is decoded and looked up.
 */
export function keyColumns(header: readonly string[]): KeyColumns {
  const columns = new Map(header.map((name, column) => [name.trim(), column]));
  const known: { readonly bytes: Buffer; readonly column: number }[] = [];
  return {
    find(place, bytes, start, end, escaped) {
      const last = known[place];
      if (last?.bytes.length === end - start && last.bytes.compare(bytes, start, end) === 0) return last.column;
      const column = columns.get(keyText(bytes, start, end, escaped).trim()) ?? -1;
      if (place < MAX_PLACES && end - start <= MAX_NAME_BYTES) {
        known[place] = { bytes: Buffer.from(bytes.subarray(start, end)), column };
      }
      return column;
    },
  };
}

/** A key's text. Bytes that are not UTF-8 make a text that no column has. */
export function keyText(bytes: Buffer, start: number, end: number, escaped: boolean): string {
  const plain = bytes.toString('utf8', start, end);
  return escaped ? (unescaped(bytes, start, end) ?? plain) : plain;
}

/**
 * The names that the file's columns have, by the keys of its first object. A later object may lack any of them, so the wanted names
 * count as soon as one of them is there; otherwise the keys are taken in order, as the header of a CSV file would be.
 */
export function headerOf(keys: readonly string[], wanted: readonly (string | undefined)[]): readonly string[] {
  const names = wanted.filter((name) => name !== undefined);
  const trimmed = new Set(names.map((name) => name.trim()));
  const known = keys.length === 0 || keys.some((key) => trimmed.has(key.trim()));
  return known && names.length === wanted.length ? names : keys;
}

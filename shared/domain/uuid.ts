import { sha256 } from './blocks.ts';

/** A stable UUID for a text: version 8, whose bits are free, so that whatever expects a UUID reads one. */
export function uuidOf(text: string): string {
  const hex = sha256(text);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

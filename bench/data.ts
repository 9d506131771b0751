/** Columns of the numeric data; the models of bench/models take as many. */
export const COLUMNS = 13;

/**
 * CSV of random numbers with a header: about 108 bytes and 13 numbers a record, as tables of measurements have. The same
 * `seed` gives the same bytes.
 */
export function numericCsv(rows: number, seed = 1): Buffer {
  const header = `${Array.from({ length: COLUMNS }, (_, i) => `f${i}`).join(',')}\n`;
  const out = Buffer.allocUnsafe(header.length + rows * COLUMNS * 9);
  let at = out.write(header, 0, 'latin1');
  let state = seed;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      // Lehmer's generator: fast, and the same everywhere.
      state = (state * 48_271) % 2_147_483_647;
      at = writeNumber(out, at, state % 10_000_000);
      out[at++] = column === COLUMNS - 1 ? 10 : 44;
    }
  }
  return out.subarray(0, at);
}

/** Seven digits as `d.dddddd`. */
function writeNumber(out: Buffer, at: number, digits: number): number {
  let rest = digits;
  for (let p = at + 7; p > at + 1; p--) {
    out[p] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  out[at + 1] = 46;
  out[at] = 48 + (rest % 10);
  return at + 8;
}

/** Columns of the numeric data; the models of bench/models take as many. */
export const COLUMNS = 13;

/**
 * CSV of random numbers with a header: about 100 bytes and 13 numbers a record, of different lengths and signs, as tables of
 * measurements have. The same `seed` gives the same bytes.
 */
export function numericCsv(rows: number, seed = 1): Buffer {
  const header = `${Array.from({ length: COLUMNS }, (_, i) => `f${i}`).join(',')}\n`;
  const out = Buffer.allocUnsafe(header.length + rows * COLUMNS * MAX_NUMBER);
  let at = out.write(header, 0, 'latin1');
  let state = seed;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      // Lehmer's generator: fast, and the same everywhere.
      state = (state * 48_271) % 2_147_483_647;
      at = writeNumber(out, at, state);
      out[at++] = column === COLUMNS - 1 ? 10 : 44;
    }
  }
  return out.subarray(0, at);
}

/** A sign, one digit, the point, six digits, and what ends it. */
const MAX_NUMBER = 10;

/** `d.dddd` to `d.dddddd`, every fourth one negative. */
function writeNumber(out: Buffer, at: number, random: number): number {
  let p = at;
  if (random % 4 === 0) out[p++] = 45;
  const decimals = 4 + (random % 3);
  let rest = random % 10_000_000;
  for (let digit = p + decimals + 1; digit > p + 1; digit--) {
    out[digit] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  out[p + 1] = 46;
  out[p] = 48 + (rest % 10);
  return p + decimals + 2;
}

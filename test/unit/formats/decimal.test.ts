import { describe, expect, test } from 'vitest';
import { MAX_NUMBER_BYTES, writeFloat32, writeInteger } from '../../../shared/formats/decimal.ts';

const out = Buffer.alloc(64);

function float32(value: number): string {
  return out.toString('latin1', 0, writeFloat32(Math.fround(value), out, 0));
}

function integer(value: number): string {
  return out.toString('latin1', 0, writeInteger(value, out, 0));
}

/** The oracle: the first of 1 to 9 significant digits that reads back. */
function shortest(value: number): number {
  for (let precision = 1; precision <= 9; precision++) {
    const candidate = Number(value.toPrecision(precision));
    if (Math.fround(candidate) === value) return candidate;
  }
  throw new Error(`nine digits are enough for ${value}`);
}

function significantDigits(text: string): number {
  return text.replace(/e.*$/, '').replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '').length;
}

describe('writeFloat32', () => {
  test.each([
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-1, '-1'],
    [0.5, '0.5'],
    [0.96, '0.96'],
    [0.1, '0.1'],
    [100, '100'],
    [123456, '123456'],
    [16777216, '16777216'],
    [0.001, '0.001'],
    [0.000123, '0.000123'],
    [1.5e-7, '1.5e-7'],
    [3e-10, '3e-10'],
    [1.17549435e-38, '1.1754944e-38'],
    [1e-45, '1e-45'],
    [3.4028235e38, '3.4028235e+38'],
    [NaN, 'nan'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
  ])('%d is written as %s', (value, text) => {
    expect(float32(value)).toBe(text);
  });

  test('every power of two is its shortest decimal, of either sign and each time', () => {
    const powers = Array.from({ length: 277 }, (_, index) => 2 ** (index - 149));
    for (const sign of [1, -1, 1])
      expect(powers.map((power) => float32(sign * power))).toEqual(
        powers.map((power) => String(sign * shortest(power))),
      );
  });

  test('reads back to the same float32 with as few digits as possible, over all magnitudes', () => {
    const words = new Uint32Array(1);
    const floats = new Float32Array(words.buffer);
    let seed = 12345;
    const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
    const wrong: string[] = [];
    for (let i = 0; i < 300_000; i++) {
      if (i % 3 === 0) words[0] = next();
      else if (i % 3 === 1) floats[0] = next() / 2 ** 32;
      else floats[0] = Math.round(next() / 2 ** 12) / 10 ** (next() % 9);
      const value = floats[0] as number;
      if (!Number.isFinite(value)) continue;
      const text = float32(value);
      const same = Object.is(Math.fround(Number(text)), value) && text.length <= MAX_NUMBER_BYTES;
      const short = value === 0 || significantDigits(text) <= significantDigits(String(shortest(value)));
      if (!same || !short) wrong.push(`${value} as ${text}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('writeInteger', () => {
  test.each([
    0,
    7,
    10,
    99,
    100,
    9_999,
    10_000,
    999_999_999,
    1_000_000_000,
    10_000_000_007,
    2 ** 53 - 1,
    -1,
    -(2 ** 53 - 1),
  ])('%d', (value) => {
    expect(integer(value)).toBe(String(value));
  });
});

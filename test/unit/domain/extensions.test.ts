import { describe, expect, it } from 'vitest';
import { Extensions } from '../../../shared/domain/settings.ts';
import { csvTokenizer } from '../../../shared/formats/csv-tokenizer.ts';
import type { RecordTarget } from '../../../shared/formats/record-target.ts';

const target: RecordTarget = {
  wanted: [],
  open: () => ({
    width: 0,
    kinds: new Uint8Array(),
    base: new Int32Array(),
    step: new Int32Array(),
    values: new Float32Array(),
  }),
  cell: () => undefined,
  kept: () => false,
  failed: () => false,
};

const tokenizerTakes = (delimiter: string): boolean => {
  try {
    csvTokenizer({ delimiter, header: true }, target);
    return true;
  } catch {
    return false;
  }
};

describe('the extension csvDelimiter', () => {
  it('is accepted exactly where the tokenizer can use it', () => {
    const characters = Array.from({ length: 300 }, (_, code) => String.fromCharCode(code));
    const accepted = characters.filter((csvDelimiter) => Extensions.safeParse({ csvDelimiter }).success);
    expect(accepted).toContain(';');
    expect(accepted).toContain('\t');
    expect(accepted.filter((delimiter) => !tokenizerTakes(delimiter))).toEqual([]);
  });

  it.each(['', ',,', '"', '\n', '7', 'a', '-', '.', 'ü'])('refuses %j', (csvDelimiter) => {
    expect(Extensions.safeParse({ csvDelimiter }).success).toBe(false);
  });
});

describe('the extension outputColumns', () => {
  it.each([
    ['label', ['label']],
    ['label, p 0 ,x', ['label', 'p 0', 'x']],
  ])('takes %j as names, and what was stored of it', (sent, stored) => {
    expect(Extensions.parse({ outputColumns: sent }).outputColumns).toEqual(stored);
    expect(Extensions.parse({ outputColumns: stored }).outputColumns).toEqual(stored);
  });

  it('is absent by default', () => {
    expect(Extensions.parse({})).not.toHaveProperty('outputColumns');
  });

  const many = Array.from({ length: 1001 }, (_, i) => `c${i}`).join(',');
  it.each(['', ' ', 'a,,b', 'a,b, a', many])('refuses %j', (outputColumns) => {
    expect(Extensions.safeParse({ outputColumns }).success).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteOrder } from '../../../shared/domain/byte-order.ts';

describe('the order of names', () => {
  it('is that of their bytes', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(byteOrder(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it('puts code points beyond 16 bits last, which comparing strings does not', () => {
    expect(['🚀', '\uff5e', 'a', ''].sort(byteOrder)).toEqual(['', 'a', '\uff5e', '🚀']);
  });
});

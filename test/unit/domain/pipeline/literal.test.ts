import { describe, expect, it } from 'vitest';
import { readForPort, readLiteral } from '../../../../shared/domain/pipeline/literal.ts';

describe('a literal', () => {
  it.each<[Parameters<typeof readLiteral>[0], unknown, string]>([
    ['boolean', 'TRUE', 'True'],
    ['boolean', false, 'False'],
    ['integer', '5', '5'],
    ['integer', 5, '5'],
    ['integer', '5.0', '5'],
    ['integer', '-12', '-12'],
    ['integer', 1e21, '1000000000000000000000'],
    ['number', '0.10', '0.10'],
    ['number', '1e-05', '1e-05'],
    ['number', 3, '3'],
    ['number', '.5', '.5'],
    ['string', ' a ', ' a '],
    ['string', 5, '5'],
    ['string', true, 'True'],
    ['any', '', ''],
  ])('of type %s: %j is %s', (type, value, text) => {
    expect(readLiteral(type, value)).toEqual({ text });
  });

  it.each<[Parameters<typeof readLiteral>[0], unknown, string]>([
    ['boolean', 'yes', "must be true or false, not 'yes'"],
    ['integer', '1.5', "must be a whole number, not '1.5'"],
    ['integer', true, "must be a whole number, not 'True'"],
    ['number', 'nan', "must be a number, not 'nan'"],
    ['number', '', "must be a number, not ''"],
    ['string', ['a'], 'must be a text, a number, true or false'],
    ['string', 'a\0b', 'may not hold the character NUL, which no command can be given'],
    ['string', 'ä'.repeat(20_000), 'may have at most 32768 bytes; give a file instead'],
  ])('of type %s is not %j', (type, value, fault) => {
    expect(readLiteral(type, value)).toEqual({ fault });
  });

  it('compares numbers as numbers', () => {
    const port = { kind: 'literal', type: 'number', optional: false, enum: ['0.5', '1'], min: 0.5, max: 1 } as const;
    expect(readForPort(port, '1.0')).toEqual({ text: '1.0' });
    expect(readForPort(port, '2')).toEqual({ fault: "must be one of 0.5, 1, not '2'" });
  });
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { caselessEnum, caselessObject, numeric, textMap } from '../../../shared/domain/caseless.ts';

const issues = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('an object', () => {
  const schema = caselessObject({
    jobName: z.string().optional(),
    note: z.string().nullable().optional(),
    inner: caselessObject({ value: z.number() }).optional(),
  });

  it.each([
    [{}, {}],
    [
      { JOBNAME: 'a', Inner: { VALUE: 1 } },
      { jobName: 'a', inner: { value: 1 } },
    ],
    [{ jobName: null, note: null, inner: null }, { note: null }],
    [{ unknown: 1, __proto__: { jobName: 'x' } }, {}],
    [JSON.parse('{"__proto__":{"jobName":"x"},"constructor":1}'), {}],
  ])('reads %j', (value, expected) => {
    expect(schema.parse(value)).toEqual(expected);
  });

  it.each([
    [{ jobName: 'a', JobName: 'b' }, ['jobName: is given twice']],
    [{ inner: { Value: 'x' } }, ['inner.value: Invalid input: expected number, received string']],
    [[], [': Invalid input: expected object, received array']],
    [null, [': Invalid input: expected object, received null']],
  ])('refuses %j', (value, expected) => {
    expect(issues(schema, value)).toEqual(expected);
  });
});

it('finds a word in any case and by its aliases', () => {
  const word = caselessEnum(['AppendRow', 'SummaryOnly'], { append_row: 'AppendRow' });
  expect(['AppendRow', 'APPENDROW', 'Append_Row', 'summaryonly'].map((text) => word.parse(text))).toEqual([
    'AppendRow',
    'AppendRow',
    'AppendRow',
    'SummaryOnly',
  ]);
  for (const value of ['constructor', '', 1, null]) expect(word.safeParse(value).success).toBe(false);
});

it('reads a decimal number from a string', () => {
  const number = numeric(z.number());
  expect(['5', ' -1 ', '1.5', 7].map((value) => number.parse(value))).toEqual([5, -1, 1.5, 7]);
  for (const value of ['', ' ', '0x10', '1e3', 'NaN', 'Infinity', '1,5', true, null])
    expect(number.safeParse(value).success).toBe(false);
});

it('keeps a map of texts as it is written', () => {
  expect(textMap.parse({ Case: 'Kept', n: 1.5, b: true, 'ü.x': '' })).toEqual({
    Case: 'Kept',
    n: '1.5',
    b: 'true',
    'ü.x': '',
  });
  expect(issues(textMap, { a: null, b: {} })).toEqual([
    'a: Invalid input: expected string, received null',
    'b: Invalid input: expected string, received object',
  ]);
});

import { describe, expect, it } from 'vitest';
import { keepNewest, keepWithin } from '../../../shared/domain/keep-newest.ts';

describe('a bounded map', () => {
  it('keeps the newest by number', () => {
    const entries = new Map<string, number>();
    for (const key of ['a', 'b', 'a', 'c']) keepNewest(entries, key, 1, 2);
    expect([...entries.keys()]).toEqual(['a', 'c']);
  });

  it.each([
    [[], []],
    [[3], [3]],
    [
      [4, 3, 3],
      [4, 3, 3],
    ],
    [
      [4, 3, 4],
      [3, 4],
    ],
    [[4, 3, 10], [10]],
    [[4, 99], [99]],
    [
      [99, 4, 3],
      [4, 3],
    ],
  ])('keeps of entries that weigh %j those of %j within ten', (weights, kept) => {
    const entries = new Map<number, number>();
    for (const [key, weight] of weights.entries()) keepWithin(entries, key, weight, 10, (value) => value);
    expect([...entries.values()]).toEqual(kept);
  });
});

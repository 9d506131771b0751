import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { scoringPlaces, type Loan, type ScoringPlaces } from '../../../shared/scoring/scoring-places.ts';

const never = new AbortController().signal;

/** A file that takes what it gets, and gives back when it is told to in the test. */
function borrowing(pool: ScoringPlaces): { readonly lent: number; readonly recalled: number; readonly loan: Loan } {
  const counts = { lent: 0, recalled: 0 };
  const loan = pool.borrow({ lend: () => void counts.lent++, recall: () => void counts.recalled++ });
  return {
    loan,
    get lent() {
      return counts.lent;
    },
    get recalled() {
      return counts.recalled;
    },
  };
}

async function takenAtOnce(pool: ScoringPlaces): Promise<boolean> {
  const stop = new AbortController();
  const taken = pool.take(stop.signal).then(
    () => true,
    () => false,
  );
  stop.abort();
  return taken;
}

describe('places that no file takes', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([0, -1, 1.5])('are at least one: not %d', (count) => {
    expect(() => scoringPlaces(count)).toThrow(RangeError);
  });

  it('are lent to the file under way, all of them', async () => {
    const pool = scoringPlaces(4);
    await pool.take(never);
    expect(borrowing(pool)).toMatchObject({ lent: 3, recalled: 0 });
  });

  it('are none where each is a file’s own', async () => {
    const pool = scoringPlaces(2);
    await pool.take(never);
    await pool.take(never);
    expect(borrowing(pool)).toMatchObject({ lent: 0, recalled: 0 });
  });

  it('are recalled for each file that asks, from who has most, and go to it first', async () => {
    const pool = scoringPlaces(4);
    await pool.take(never);
    const long = borrowing(pool);
    const taken: number[] = [];
    const second = pool.take(never).then(() => taken.push(2));
    const third = pool.take(never).then(() => taken.push(3));
    expect(long).toMatchObject({ lent: 3, recalled: 2 });
    long.loan.returned();
    await second;
    expect(taken).toEqual([2]);
    long.loan.returned();
    await third;
    vi.advanceTimersByTime(1000);
    expect(long).toMatchObject({ lent: 3, recalled: 2 });
  });

  it('are lent evenly when several files are under way', async () => {
    const pool = scoringPlaces(6);
    for (let file = 0; file < 6; file++) await pool.take(never);
    const files = [borrowing(pool), borrowing(pool)];
    for (let file = 0; file < 4; file++) pool.free();
    vi.advanceTimersByTime(1000);
    expect(files).toMatchObject([{ lent: 2 }, { lent: 2 }]);
  });

  it('stay free for a moment after a file, for the next one of its lane', async () => {
    const pool = scoringPlaces(2);
    await pool.take(never);
    await pool.take(never);
    const long = borrowing(pool);
    pool.free();
    expect(await takenAtOnce(pool)).toBe(true);
    expect(long.recalled).toBe(0);
    pool.free();
    vi.advanceTimersByTime(1000);
    expect(long.lent).toBe(1);
    expect(await takenAtOnce(pool)).toBe(false);
  });

  it('are not lent any more to a file that has ended, and are free once it gave them back', async () => {
    const pool = scoringPlaces(2);
    await pool.take(never);
    const short = borrowing(pool);
    short.loan.end();
    expect(await takenAtOnce(pool)).toBe(false);
    short.loan.returned();
    vi.advanceTimersByTime(1000);
    expect(short.lent).toBe(1);
    expect(await takenAtOnce(pool)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { link, walkChain, type Receipt } from '../../../shared/domain/receipts.ts';

const receipt = (from: number, to: number, previous: string | null, change: Partial<Receipt> = {}): Receipt => ({
  job: 'j',
  lane: 0,
  plan: 'p',
  from,
  to,
  attempt: `${from}-${to}`,
  previous,
  output: [{ id: `b${from}`, bytes: 1, rows: to - from, sha256: '' }],
  errors: [],
  columns: ['value'],
  tallies: { filesDone: to, filesFailed: 0, rows: to, recordsFailed: 0 },
  failures: [],
  ...change,
});

const walk = (receipts: Record<string, Receipt>, last: string, end?: number) =>
  walkChain(
    { job: 'j', plan: 'p', lane: 0, from: 0, ...(end === undefined ? {} : { end }) },
    last,
    async (name) => receipts[name],
  );

describe('a chain of receipts', () => {
  it('is walked back to the lane start and answered in order', async () => {
    const chain = await walk({ a: receipt(0, 3, null), b: receipt(3, 4, 'a'), c: receipt(4, 9, 'b') }, 'c', 9);
    expect(chain.map((one) => [one.from, one.to])).toEqual([
      [0, 3],
      [3, 4],
      [4, 9],
    ]);
  });

  it('of a lane that was stopped may end anywhere', async () => {
    expect(await walk({ a: receipt(0, 3, null) }, 'a')).toHaveLength(1);
  });

  const good = receipt(0, 3, null);
  it.each<[string, Record<string, Receipt>, string]>([
    ['a gap', { a: good, b: receipt(4, 9, 'a') }, 'mini-batches 3 to 4 are missing'],
    ['an overlap', { a: good, b: receipt(2, 9, 'a') }, 'mini-batches 3 to 2 are there twice'],
    ['a missing start', { b: receipt(3, 9, null) }, 'mini-batches from 0 are missing'],
    ['a missing end', { b: receipt(0, 8, null) }, 'mini-batches 8 to 9 are missing'],
    ['another plan', { b: receipt(0, 9, null, { plan: 'q' }) }, 'another plan'],
    ['another job', { b: receipt(0, 9, null, { job: 'k' }) }, 'another lane'],
    ['another lane', { b: receipt(0, 9, null, { lane: 1 }) }, 'another lane'],
    ['a lost receipt', { b: receipt(3, 9, 'a') }, 'receipt a is gone'],
    ['a receipt of nothing', { b: receipt(9, 9, null) }, 'covers nothing'],
    [
      'sums that its blocks do not bear out',
      { b: receipt(0, 9, null, { output: [] }) },
      'hold 0 rows, its last receipt says 9',
    ],
  ])('with %s is refused', async (_name, receipts, reason) => {
    await expect(walk(receipts, 'b', 9)).rejects.toThrow(reason);
  });

  it('joins lanes in order and takes totals from the last receipts alone', () => {
    const linked = link([[receipt(0, 3, null), receipt(3, 5, 'a')], [], [receipt(5, 7, null)]], []);
    expect(linked.output.map((block) => block.id)).toEqual(['b0', 'b3', 'b5']);
    expect(linked.tallies).toEqual({ filesDone: 12, filesFailed: 0, rows: 12, recordsFailed: 0 });
    expect(linked.columns).toEqual(['value']);
  });

  it('refuses lanes that disagree on the columns', () => {
    expect(() => link([[receipt(0, 1, null)], [receipt(1, 2, null, { columns: ['other'] })]], [])).toThrow(
      'the model has (value), the model has (other)',
    );
  });
});

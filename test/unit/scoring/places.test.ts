import { describe, expect, it } from 'vitest';
import { places } from '../../../shared/scoring/places.ts';

describe('places', () => {
  const never = new AbortController().signal;

  it('are taken up to their number, then in the order of asking', async () => {
    const turns = places(2);
    const order: number[] = [];
    const asked = [1, 2, 3, 4].map((name) => turns.take(never).then(() => order.push(name)));
    await Promise.all(asked.slice(0, 2));
    expect(order).toEqual([1, 2]);
    turns.free();
    turns.free();
    await Promise.all(asked);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('are not kept for who gave up', async () => {
    const turns = places(1);
    await turns.take(never);
    const stop = new AbortController();
    const first = expect(turns.take(stop.signal)).rejects.toThrow('enough');
    const second = turns.take(never);
    stop.abort(new Error('enough'));
    await first;
    turns.free();
    await second;
    await expect(turns.take(stop.signal)).rejects.toThrow('enough');
  });
});

import { describe, expect, it } from 'vitest';
import { blockId } from '../../../shared/domain/blocks.ts';
import { cutLanes } from '../../../shared/domain/plan.ts';

describe('lanes', () => {
  it.each([
    [[5], 4, [[0, 1]]],
    [
      [1, 1, 1, 1],
      2,
      [
        [0, 2],
        [2, 4],
      ],
    ],
    [
      [100, 1, 1, 1],
      2,
      [
        [0, 1],
        [1, 4],
      ],
    ],
    [
      [1, 1, 1, 100],
      2,
      [
        [0, 3],
        [3, 4],
      ],
    ],
    [
      [0, 0, 0],
      3,
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
    ],
    [[1, 1, 1], 1, [[0, 3]]],
    [[1, 1, 1], 0, [[0, 3]]],
  ])('of %j for %i are %j', (bytes, wanted, lanes) => {
    expect(cutLanes(bytes, wanted).map(({ from, to }) => [from, to])).toEqual(lanes);
  });

  it('cover every mini-batch once, in order, none empty, about equal in bytes', () => {
    let seed = 1;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 200; round++) {
      const bytes = Array.from({ length: 1 + random(60) }, () => random(1000));
      const wanted = 1 + random(8);
      const lanes = cutLanes(bytes, wanted);
      expect(lanes).toHaveLength(Math.min(wanted, bytes.length));
      expect(lanes[0]?.from).toBe(0);
      expect(lanes.at(-1)?.to).toBe(bytes.length);
      for (const [index, lane] of lanes.entries()) {
        expect(lane.to).toBeGreaterThan(lane.from);
        if (index > 0) expect(lane.from).toBe(lanes[index - 1]?.to);
      }
    }
  });
});

describe('block ids', () => {
  it('have one length, whatever the job, lane, attempt and number', () => {
    const ids = [blockId('a', 0, 'x', 0), blockId('a-long-job-name'.repeat(9), 99_999, 'attempt', 999_999)];
    expect(new Set(ids.map((id) => id.length)).size).toBe(1);
    expect(Buffer.from(ids[0] ?? '', 'base64').length).toBeLessThanOrEqual(64);
  });

  it('differ by job, lane, attempt and number', () => {
    const ids = [
      blockId('a', 0, 'x', 0),
      blockId('b', 0, 'x', 0),
      blockId('a', 1, 'x', 0),
      blockId('a', 0, 'y', 0),
      blockId('a', 0, 'x', 1),
    ];
    expect(new Set(ids).size).toBe(5);
  });

  it('are refused when a part does not fit, because ids of two lengths would break the blob', () => {
    expect(() => blockId('a', 100_000, 'x', 0)).toThrow('digits');
  });
});

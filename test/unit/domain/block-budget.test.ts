import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareBlocks, type BlockNeed } from '../../../shared/domain/block-budget.ts';
import { MAX_PLANNED_BLOCKS } from '../../../shared/domain/blocks.ts';
import { cutLanes } from '../../../shared/domain/plan.ts';

const MiB = 1024 * 1024;
const STANDARD = 4 * MiB;
const MOST = 1_000_000;

const NOTHING = { files: 0, blocks: 0 };
const need = (change: Partial<BlockNeed>): BlockNeed => ({
  ...{ before: NOTHING, files: 10, miniBatches: 10, bytes: 1000, lanes: 2, last: true },
  ...change,
});

/** Blocks that the slices of lanes make at most, when each ends as early as it may and every byte of input is one of output. */
function mostBlocks(miniBatches: number, bytes: number, share: ReturnType<typeof shareBlocks>): number {
  const lanes = cutLanes(new Array<number>(miniBatches).fill(1), share.lanes);
  const slices = lanes.reduce((sum, { from, to }) => sum + Math.ceil((to - from) / share.miniBatchesPerSlice), 0);
  return slices + Math.floor(bytes / share.blockBytes);
}

describe('the blocks of one output', () => {
  it('are of the standard size, and a slice may end after any mini-batch, where a job is small', () => {
    expect(shareBlocks(need({}), MOST, STANDARD)).toEqual({
      ...{ lanes: 2, miniBatchesPerSlice: 1, blockBytes: STANDARD, blocks: 13 },
    });
    const first = need({ files: 2000, miniBatches: 200, lanes: 16, last: false });
    expect(shareBlocks(first, MOST, STANDARD)).toMatchObject({ lanes: 16, miniBatchesPerSlice: 1 });
  });

  it('are larger where the input is', () => {
    const { blockBytes, blocks } = shareBlocks(need({ bytes: 25_000 * 40 * MiB }), MOST, STANDARD);
    expect(blockBytes / MiB).toBeCloseTo(40, 0);
    expect(blocks).toBeLessThanOrEqual(MAX_PLANNED_BLOCKS);
  });

  it('hold several mini-batches where these are many', () => {
    expect(shareBlocks(need({ files: 100_000, miniBatches: 100_000 }), MOST, STANDARD)).toMatchObject({
      miniBatchesPerSlice: 9,
    });
  });

  it('of a segment that is empty are none', () => {
    expect(shareBlocks(need({ files: 0, miniBatches: 0, bytes: 0 }), MOST, STANDARD).blocks).toBe(0);
  });

  it.each([
    ['no block is so large', need({ bytes: 25_000 * 5000 * MiB })],
    ['nothing is left', need({ before: { files: 50, blocks: MAX_PLANNED_BLOCKS - 3 } })],
  ])('are refused where %s', (_, asked) => {
    expect(() => shareBlocks(asked, MOST, STANDARD)).toThrow('Score the input in several jobs');
  });

  it('stay below the limit, whatever the segments are, and every segment up to the last file gets some', () => {
    const segment = fc.record({
      files: fc.integer({ min: 10_000, max: 60_000 }),
      perFile: fc.double({ min: 0.0001, max: 20, noNaN: true }),
      bytes: fc.integer({ min: 0, max: 90_000 * MiB }),
      lanes: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 60 }), (segments) => {
        const before = { files: 0, blocks: 0 };
        for (const [index, { files: wanted, perFile, bytes, lanes }] of segments.entries()) {
          const files = Math.min(wanted, MOST - before.files);
          if (files === 0) break;
          const last = index === segments.length - 1 || before.files + files === MOST;
          const miniBatches = Math.min(20_000, Math.ceil(files * perFile));
          const share = shareBlocks({ before: { ...before }, files, miniBatches, bytes, lanes, last }, MOST, STANDARD);
          expect(share.lanes).toBeGreaterThan(0);
          expect(mostBlocks(miniBatches, bytes, share)).toBeLessThanOrEqual(share.blocks);
          before.files += files;
          before.blocks += share.blocks;
          expect(before.blocks).toBeLessThanOrEqual(MAX_PLANNED_BLOCKS);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('of a million tiny files, one to a mini-batch, in segments of 20,000, leave every slice short', () => {
    const before = { files: 0, blocks: 0 };
    let longest = 0;
    for (let segment = 0; segment <= 50; segment++) {
      const files = segment === 0 ? 2000 : Math.min(20_000, MOST - before.files);
      const last = before.files + files === MOST;
      const share = shareBlocks(
        { before: { ...before }, files, miniBatches: files, bytes: files * 100, lanes: 64, last },
        MOST,
        STANDARD,
      );
      longest = Math.max(longest, share.miniBatchesPerSlice);
      before.files += files;
      before.blocks += share.blocks;
    }
    expect(before).toMatchObject({ files: MOST });
    expect(before.blocks).toBeLessThanOrEqual(MAX_PLANNED_BLOCKS);
    expect(longest).toBeLessThanOrEqual(200);
  });
});

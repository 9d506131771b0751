import { MAX_PLANNED_BLOCKS } from './blocks.ts';
import { JobFault } from './errors.ts';

/** Storage takes no larger block. */
const MAX_BLOCK_BYTES = 4000 * 1024 * 1024;

/** Blocks that the beginning of an input may have, however small it is. */
const FIRST_BLOCKS = 5000;

/** Of some thousand files a job should hardly feel that it might have had a million. */
const FEW_FILES = 1000;

/** Fewer make no room for a lane, a slice and a block of rows. */
const LEAST_BLOCKS = 4;

/** What a segment of a plan is given of the blocks that one output may have. */
export interface BlockShare {
  /** Lanes at most: each may end with a block that is not full. */
  readonly lanes: number;
  /** Slices may not end before so many mini-batches, because each ends with a block that is not full. */
  readonly miniBatchesPerSlice: number;
  /** Bytes of a full block. */
  readonly blockBytes: number;
  /** Blocks that are planned with all this. */
  readonly blocks: number;
}

/** A segment for which blocks are planned. */
export interface BlockNeed {
  /** Files of the segments before this one, and the blocks that were planned for them. */
  readonly before: { readonly files: number; readonly blocks: number };
  readonly files: number;
  readonly miniBatches: number;
  readonly bytes: number;
  /** Lanes wanted. */
  readonly lanes: number;
  /** Nothing comes after it. */
  readonly last: boolean;
}

/**
 * Plans the blocks of one segment while nobody knows how many will follow: at most `mostFiles` files in all, and then no more than
 * 25,000 blocks are planned. Storage commits 50,000; the other half is for predictions that are larger than their input, and for
 * slices that end early because a process died. It holds 100,000 staged ones: each planned block may be staged three times over by
 * attempts that are repeated, and 25,000 are still free. Throws JobFault where the output cannot fit.
 *
 * @param standardBytes Bytes of a block where there is room for small ones.
 */
export function shareBlocks(need: BlockNeed, mostFiles: number, standardBytes: number): BlockShare {
  const upTo = need.last ? MAX_PLANNED_BLOCKS : blocksUpTo(need.before.files + need.files, mostFiles);
  const share = upTo - need.before.blocks;
  if (need.miniBatches === 0) return { lanes: 0, miniBatchesPerSlice: 1, blockBytes: standardBytes, blocks: 0 };
  if (share < LEAST_BLOCKS) throw tooManyBlocks();
  const lanes = Math.min(need.lanes, need.miniBatches, Math.floor(share / 2));
  const rest = share - lanes;
  const miniBatchesPerSlice = Math.ceil(need.miniBatches / Math.floor(rest / 2));
  const slices = Math.ceil(need.miniBatches / miniBatchesPerSlice);
  // Predictions are seldom larger than their input.
  const blockBytes = Math.max(standardBytes, Math.ceil(need.bytes / (rest - slices)));
  if (blockBytes > MAX_BLOCK_BYTES) throw tooManyBlocks();
  return { lanes, miniBatchesPerSlice, blockBytes, blocks: lanes + slices + Math.ceil(need.bytes / blockBytes) };
}

/**
 * Blocks that the first so many files may have together: half of them by the number of files, half by its logarithm, so that the many
 * jobs of some thousand files have short slices, and the millionth file has its part.
 */
function blocksUpTo(files: number, mostFiles: number): number {
  if (files >= mostFiles) return MAX_PLANNED_BLOCKS;
  const evenly = files / mostFiles;
  const early = Math.log1p(files / FEW_FILES) / Math.log1p(mostFiles / FEW_FILES);
  return FIRST_BLOCKS + Math.floor(((MAX_PLANNED_BLOCKS - FIRST_BLOCKS) * (evenly + early)) / 2);
}

const tooManyBlocks = (): JobFault =>
  new JobFault(
    'OutputTooLarge',
    `The output would need more than the ${MAX_PLANNED_BLOCKS} blocks that are planned for one file. Score the input in several jobs, each with a folder of its own.`,
  );

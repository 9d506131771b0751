import { z } from 'zod';
import type { Lane, Manifest } from './plan.ts';

/** Up to where an input was listed: a page of the listing, by default the first, and the last blob taken of it; absent: none. */
export const ListedTo = z.object({ page: z.string().optional(), blob: z.string().optional() });
export type ListedTo = z.infer<typeof ListedTo>;

/** Where a segment of a plan begins: how much of everything the segments before it have. */
export const SegmentStart = z.object({
  segment: z.number(),
  files: z.number(),
  miniBatches: z.number(),
  lanes: z.number(),
  /** Of the output, as planned. */
  blocks: z.number(),
});
export type SegmentStart = z.infer<typeof SegmentStart>;

export const FIRST_SEGMENT: SegmentStart = { segment: 0, files: 0, miniBatches: 0, lanes: 0, blocks: 0 };

export const startOf = ({ begins }: Pick<Manifest, 'begins'>): SegmentStart => begins ?? FIRST_SEGMENT;

/** Where the segment after this one begins. */
export function startAfter(manifest: Manifest): SegmentStart {
  const start = startOf(manifest);
  return {
    segment: start.segment + 1,
    files: start.files + manifest.files.length,
    miniBatches: manifest.lanes.at(-1)?.to ?? start.miniBatches,
    lanes: start.lanes + manifest.lanes.length,
    blocks: start.blocks + (manifest.blocks ?? 0),
  };
}

/** A lane of a segment, by its number in the job. */
export function laneOf(manifest: Manifest, lane: number): Lane {
  const found = manifest.lanes[lane - startOf(manifest).lanes];
  if (!found) throw new Error(`job ${manifest.job} has no lane ${lane} in segment ${startOf(manifest).segment}`);
  return found;
}

/** How many files make a segment. */
export interface SegmentSizes {
  /** Of the first: small, so that the first rows of a large folder come early. */
  readonly first: number;
  readonly others: number;
}

/** By the files of all but the first. A manifest of 20,000 files is 4 MB of JSON, and a process holds a few of them. */
export const segmentSizes = (files: number): SegmentSizes => ({ first: Math.ceil(files / 10), others: files });

/**
 * Files of a segment: whole mini-batches, so that these are the same however a plan is cut. The first one rather takes more: a folder
 * that nearly fits shall not need another.
 */
export function segmentSize({ first, others }: SegmentSizes, segment: number, miniBatchFiles: number): number {
  if (segment === 0) return Math.ceil(first / miniBatchFiles) * miniBatchFiles;
  return Math.max(1, Math.floor(others / miniBatchFiles)) * miniBatchFiles;
}

import type { LaneProgress } from '../domain/job.ts';
import { link, linkParts, type Linked, type Receipt } from '../domain/receipts.ts';
import { startOf } from '../domain/segments.ts';
import type { Plan } from './job-files.ts';

/** What the lanes of some segments gave, and how many files these have. */
export interface LinkedSegments {
  readonly linked: Linked;
  readonly files: number;
}

/** The receipts of a lane of a segment, in order. */
export type ChainOf = (plan: Plan, lane: number) => Promise<readonly Receipt[]>;

/** Adds a segment to those before it. Throws as `link` does. */
export async function withSegment(
  before: LinkedSegments | undefined,
  plan: Plan,
  chainOf: ChainOf,
): Promise<LinkedSegments> {
  const { manifest } = plan;
  const first = startOf(manifest).lanes;
  const chains = await Promise.all(manifest.lanes.map((_, index) => chainOf(plan, first + index)));
  const linked = link(chains, manifest.files);
  if (!before) return { linked, files: manifest.files.length };
  return { linked: linkParts(before.linked, linked), files: before.files + manifest.files.length };
}

export const rowOf = (rows: readonly LaneProgress[], lane: number): LaneProgress | undefined =>
  rows.find((row) => row.lane === lane);

import { z } from 'zod';
import { inProcessOfItsOwn } from './app-in-process.ts';
import type { Figure } from './figure.ts';

/** What `fairness-process.ts` saw. */
export const Fairness = z.object({
  /** Of the job of one file: from its request, and from the end of its plan, until its only lane began. */
  waitMs: z.number(),
  laneWaitMs: z.number(),
  /** Of five equal jobs: between the first and the last end, by that of all. */
  spread: z.number(),
});
export type Fairness = z.infer<typeof Fairness>;

/** Slices where no lane waits; three lanes share two slots. */
const SLICE_MS = 2500;
const CROWDED_SLICE_MS = (SLICE_MS * 2) / 3;
/** Its lane is the only one that waits: the others have the slots. */
const LANES_PER_SLOT = 1 / 2;

/** A job of one file behind one of 10,000 that has every slot, and then five equal jobs at once. Storage is in memory. */
export async function fairness(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const settings = { BATCHPOINT_SLICE_SECONDS: String(SLICE_MS / 1000) };
  const { waitMs, laneWaitMs, spread } = await inProcessOfItsOwn(
    './fairness-process.ts',
    [],
    keyFile,
    Fairness,
    settings,
  );
  // Whoever takes, plans and scores it waits for a slot each time.
  add({ name: 'fairness_wait_ms', value: waitMs, unit: 'ms', target: { atMost: 3 * CROWDED_SLICE_MS } });
  add({
    name: 'fairness_wait_slices',
    value: laneWaitMs / CROWDED_SLICE_MS,
    unit: 'slices',
    target: { atMost: Math.ceil(LANES_PER_SLOT) },
  });
  add({ name: 'fairness_spread', value: spread, unit: 'ratio', target: { atMost: 0.3 } });
}

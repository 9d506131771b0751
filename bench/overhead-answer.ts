import { z } from 'zod';

/** What `overhead-process.ts` tells of one job. */
export const OverheadAnswer = z.object({
  msPerMiniBatch: z.number(),
  /** Each is one activity; all others are a few for each segment of the plan. */
  slicesPerMiniBatch: z.number(),
  /** From the invocation on. */
  firstRowMs: z.number(),
  /** Memory of the process, resident or live: at its peak while the job ran, above what it held before. */
  grownMb: z.number(),
  heldMb: z.number(),
});
export type OverheadAnswer = z.infer<typeof OverheadAnswer>;

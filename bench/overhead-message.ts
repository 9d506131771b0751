import { z } from 'zod';

/** What the overhead process answers. */
export const MillisecondsPerMiniBatch = z.object({ millisecondsPerMiniBatch: z.number() });
export type MillisecondsPerMiniBatch = z.infer<typeof MillisecondsPerMiniBatch>;

import { z } from 'zod';

/** What the parent asks of a process with loop-delay.ts in it, and what it hears. */
export const LOOP_DELAY = 'loop-delay';
export const LoopDelay = z.object({ loopDelayMs: z.number() });
export type LoopDelay = z.infer<typeof LoopDelay>;

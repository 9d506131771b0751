import { z } from 'zod';
import { activity, failureLine, type Durable, type Story } from './durable.ts';

const Stopped = z.object({ stopped: z.literal(true) });

/** Tells the rest of a job to stop. If even that cannot be written, the reason, which is answered, still says why. */
export function* markStopped(durable: Durable, job: string, reason: { code: string; message: string }): Story<void> {
  try {
    yield* activity(durable, 'stopJob', { job, reason }, Stopped);
  } catch (error) {
    reason.message += ` (and the job could not be told to stop: ${failureLine(error)})`;
  }
}

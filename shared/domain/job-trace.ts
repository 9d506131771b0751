import { z } from 'zod';

/** Where a job stands in the trace of whoever asked for it. Travels in its spec, so that every instance finds it at any time. */
export const JobTrace = z.object({
  /** W3C `traceparent` of the job's own span: reserved when the job is accepted, written when it ends. */
  traceparent: z.string(),
  /** Id of the span that the job's is below. */
  parent: z.string(),
});
export type JobTrace = z.infer<typeof JobTrace>;

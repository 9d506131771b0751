import { z } from 'zod';

/** How much one request, job or caller may take; the app's settings say so (docs/settings.md). */
export interface Limits {
  readonly bodyBytes: number;
  /** Inputs of one job. */
  readonly inputs: number;
  /** Files of one scoring job. */
  readonly files: number;
  readonly miniBatches: number;
  /** Jobs that clients submitted and that have not ended. */
  readonly jobsPerEndpoint: number;
  readonly jobsPerDeployment: number;
  readonly jobsPerCaller: number;
  /** Of one caller, at one instance of the app; five seconds' worth may come at once. */
  readonly requestsPerSecond: number;
  /** Refused tokens from one address, at one instance. */
  readonly badTokensPerSecond: number;
}

/** A place among the running jobs of an endpoint, a deployment or a caller. */
export const JobPlace = z.object({ group: z.string(), slot: z.string() });
export type JobPlace = z.infer<typeof JobPlace>;

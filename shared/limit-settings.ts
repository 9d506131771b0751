import { z } from 'zod';
import type { Limits } from './domain/limits.ts';

const whole = (standard: number, most: number) => z.coerce.number().int().min(1).max(most).default(standard);

/** The limits among the app's settings. docs/settings.md has one row for each, which a test compares. */
export const limitSettings = {
  BATCHPOINT_MAX_BODY_KB: whole(1024, 102_400),
  BATCHPOINT_MAX_INPUTS: whole(100, 10_000),
  BATCHPOINT_MAX_FILES: whole(1_000_000, 10_000_000),
  BATCHPOINT_MAX_MINI_BATCHES: whole(250_000, 10_000_000),
  BATCHPOINT_MAX_JOBS_PER_ENDPOINT: whole(200, 10_000),
  BATCHPOINT_MAX_JOBS_PER_DEPLOYMENT: whole(200, 10_000),
  BATCHPOINT_MAX_JOBS_PER_CALLER: whole(200, 10_000),
  BATCHPOINT_REQUESTS_PER_SECOND: z.coerce.number().positive().max(1_000_000).default(100),
  BATCHPOINT_BAD_TOKENS_PER_SECOND: z.coerce.number().positive().max(1_000_000).default(10),
};

const LimitSettings = z.object(limitSettings);

export const limitsOf = (settings: z.infer<typeof LimitSettings>): Limits => ({
  bodyBytes: settings.BATCHPOINT_MAX_BODY_KB * 1024,
  inputs: settings.BATCHPOINT_MAX_INPUTS,
  files: settings.BATCHPOINT_MAX_FILES,
  miniBatches: settings.BATCHPOINT_MAX_MINI_BATCHES,
  jobsPerEndpoint: settings.BATCHPOINT_MAX_JOBS_PER_ENDPOINT,
  jobsPerDeployment: settings.BATCHPOINT_MAX_JOBS_PER_DEPLOYMENT,
  jobsPerCaller: settings.BATCHPOINT_MAX_JOBS_PER_CALLER,
  requestsPerSecond: settings.BATCHPOINT_REQUESTS_PER_SECOND,
  badTokensPerSecond: settings.BATCHPOINT_BAD_TOKENS_PER_SECOND,
});

/** The limits where no setting says otherwise. */
export const STANDARD_LIMITS: Limits = limitsOf(LimitSettings.parse({}));

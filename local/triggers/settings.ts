import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { timeSpan } from '../time-span.ts';

/** How a queue is read: host.json `extensions.queues`, times in milliseconds. */
export interface QueueSettings {
  readonly maxPollingIntervalMs: number;
  /** After a failure a message shows up again after this time. */
  readonly visibilityTimeoutMs: number;
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxDequeueCount: number;
  readonly messageEncoding: 'base64' | 'none';
}

const weekMs = 7 * 86_400_000;

// Defaults and limits: QueuesOptions.cs. Numbers may be text, as an override in the environment always is.
export const queuesSection = z
  .object({
    maxPollingInterval: timeSpan.pipe(z.number().min(100, 'must be at least 00:00:00.100')).default(60_000),
    visibilityTimeout: timeSpan.pipe(z.number().max(weekMs, 'must be at most 7 days')).default(0),
    batchSize: z.coerce.number().int().min(1).max(32).default(16),
    newBatchThreshold: z.coerce.number().int().min(0).optional(),
    maxDequeueCount: z.coerce.number().int().min(1).default(5),
    messageEncoding: z
      .string()
      .toLowerCase()
      .pipe(z.enum(['base64', 'none']))
      .default('base64'),
  })
  .transform(({ maxPollingInterval, visibilityTimeout, ...rest }): QueueSettings => ({
    ...rest,
    maxPollingIntervalMs: maxPollingInterval,
    visibilityTimeoutMs: visibilityTimeout,
    newBatchThreshold: rest.newBatchThreshold ?? Math.floor(rest.batchSize / 2) * availableParallelism(),
  }));

/** How the blob triggers' queue is read: host.json `extensions.blobs`. */
export interface BlobSettings {
  readonly maxDegreeOfParallelism: number;
  readonly poisonBlobThreshold: number;
}

export const blobsSection = z.object({
  maxDegreeOfParallelism: z.coerce
    .number()
    .int()
    .min(1)
    .default(8 * availableParallelism()),
  poisonBlobThreshold: z.coerce.number().int().min(1).default(5),
});

/** What the real host has no setting for, so that tests need not wait: read from the environment. */
export interface ListenerTimes {
  /** A message is hidden for so long while its function runs; renewed at half of it. */
  readonly messageLeaseMs: number;
  readonly blobScanMs: number;
}

const timesSchema = z.object({
  BATCHPOINT_HOST_MESSAGE_LEASE: timeSpan.pipe(z.number().min(1000).max(weekMs)).default(600_000),
  BATCHPOINT_HOST_BLOB_SCAN: timeSpan.pipe(z.number().min(10)).default(2000),
});

/** Throws on a value that is no time span, or out of range. */
export function listenerTimes(env: NodeJS.ProcessEnv): ListenerTimes {
  const result = timesSchema.safeParse(env);
  if (!result.success) throw new Error(`Settings of the embedded host: ${z.prettifyError(result.error)}`);
  return {
    messageLeaseMs: result.data.BATCHPOINT_HOST_MESSAGE_LEASE,
    blobScanMs: result.data.BATCHPOINT_HOST_BLOB_SCAN,
  };
}

import { z } from 'zod';
import { checked } from './checked.ts';
import { badRequest } from './errors.ts';
import { readMessage } from './queue-message.ts';

/** How a whole blob comes to be. Other calls that raise the same event (a folder, an appended part) leave nothing to score. */
const WRITES = ['PutBlob', 'PutBlockList', 'CopyBlob', 'FlushWithClose'] as const;

const BLOB_CREATED = 'Microsoft.Storage.BlobCreated';

const BlobData = z.object({
  api: z.string().max(100),
  url: z.string().min(1),
  eTag: z.string().min(1).max(100),
});

/** Either schema of Event Grid: its own (`eventType`) or CloudEvents 1.0 (`type`). */
const Envelope = z
  .object({ eventType: z.string().optional(), type: z.string().optional(), data: z.unknown().optional() })
  .transform(({ eventType, type, data }) => ({ type: eventType ?? type, data }));

/** A blob as it was written: `url` is the caller's text, `etag` has its quotes. */
export interface BlobEvent {
  readonly url: string;
  readonly etag: string;
}

/**
 * Reads a message of Event Grid; undefined for one that tells of something else than a whole blob. Throws ApiError 400 for a
 * message that is no event.
 */
export function readBlobEvent(message: unknown): BlobEvent | undefined {
  const { type, data } = readMessage(Envelope, message);
  if (type === undefined) throw badRequest('The message has neither an eventType nor a type: it is no event.');
  if (type !== BLOB_CREATED) return undefined;
  const { api, url, eTag } = checked(BlobData, data, 'data');
  if (!WRITES.some((write) => write === api)) return undefined;
  return { url: url.replaceAll(' ', '%20'), etag: `"${eTag.replace(/^W\//, '').replaceAll('"', '')}"` };
}

/** The message that Event Grid would send for a blob, for a machine without Event Grid. */
export const blobEvent = (url: string, etag: string) => ({
  eventType: BLOB_CREATED,
  data: { api: 'PutBlob' satisfies (typeof WRITES)[number], url, eTag: etag },
});

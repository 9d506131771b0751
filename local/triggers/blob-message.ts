import { z } from 'zod';
import { UndeliverableMessage } from './queue-listener.ts';
import { decodeMessage, encodeMessage } from './message-text.ts';

// The names as the SDK writes them (BlobTriggerMessage): the same text ends in the poison queue.
const schema = z.object({
  Type: z.literal('BlobTrigger'),
  FunctionId: z.string(),
  BlobType: z.string(),
  ContainerName: z.string(),
  BlobName: z.string(),
  ETag: z.string(),
});

/** One version of a blob that a function is to run for. The ETag is in quotes. */
export type BlobMessage = z.infer<typeof schema>;

export const encodeBlobMessage = (message: BlobMessage): string => encodeMessage(JSON.stringify(message), 'base64');

/** Throws UndeliverableMessage on anything else than a blob trigger's message. */
export function decodeBlobMessage(stored: string): BlobMessage {
  try {
    return schema.parse(JSON.parse(decodeMessage(stored, 'base64')));
  } catch (error) {
    throw new UndeliverableMessage('is no message of a blob trigger', { cause: error });
  }
}

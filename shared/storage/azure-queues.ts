import type { StorageRetryOptions } from '@azure/storage-blob';
import { type AdapterOptions, queueServiceFrom, type StorageConnection } from './connection.ts';
import { once } from './once.ts';
import type { Queue } from './ports.ts';
import { checkMessage, checkQueue } from './queue-rules.ts';
import { ask } from './storage-faults.ts';

/** A message that is sent twice does no harm here, so the SDK may send again. */
const RETRIES: StorageRetryOptions = { maxTries: 4, retryDelayInMs: 400, maxRetryDelayInMs: 2_000 };

/** Storage's word for a message that never expires; its default is 7 days. */
const FOR_EVER = -1;

/** The queues of one account. Texts are sent as base64: what the Functions host expects and what Event Grid sends. */
export function azureQueues(
  connection: StorageConnection,
  { answerWithinMs = 120_000 }: AdapterOptions = {},
): (name: string) => Queue {
  const service = queueServiceFrom(connection, RETRIES);
  return (name) => {
    checkQueue(name);
    const client = service.getQueueClient(name);
    const limits = { answerWithinMs };
    const created = once(async () => {
      await ask(`create queue ${name}`, limits, (abortSignal) => client.createIfNotExists({ abortSignal }));
    });
    return {
      async send(text, delaySeconds = 0) {
        checkMessage(text, delaySeconds);
        await created();
        await ask(`send to ${name}`, limits, (abortSignal) =>
          client.sendMessage(Buffer.from(text).toString('base64'), {
            visibilityTimeout: delaySeconds,
            messageTimeToLive: FOR_EVER,
            abortSignal,
          }),
        );
      },
    };
  };
}

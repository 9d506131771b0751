import { setTimeout as wait } from 'node:timers/promises';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { azureQueues } from '../../shared/storage/azure-queues.ts';
import { memoryQueues } from '../../shared/storage/memory-queues.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { account, answer, caught } from '../support/scripted-account.ts';
import { queuesContract } from './queues.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

queuesContract('memory', () => {
  const clock = { time: 0, now: () => clock.time };
  const queues = memoryQueues(clock);
  return {
    queue: queues,
    receive: async (name) => queues.take(name),
    pass: async (seconds) => {
      clock.time += seconds * 1000;
    },
  };
});

queuesContract('Azure queues on Azurite', () => ({
  queue: azureQueues(azurite),
  receive: (name) => receiveAll(azurite.connectionString, name),
  pass: (seconds) => wait(seconds * 1000),
}));

/** Takes all that shows, as the Functions host does: base64, and deleted when done. */
async function receiveAll(connectionString: string, name: string): Promise<string[]> {
  const client = QueueServiceClient.fromConnectionString(connectionString).getQueueClient(name);
  await client.createIfNotExists();
  const texts: string[] = [];
  for (;;) {
    const { receivedMessageItems } = await client.receiveMessages({ numberOfMessages: 32 });
    if (receivedMessageItems.length === 0) return texts;
    for (const { messageId, popReceipt, messageText } of receivedMessageItems) {
      texts.push(Buffer.from(messageText, 'base64').toString());
      await client.deleteMessage(messageId, popReceipt);
    }
  }
}

describe('Azure queues', () => {
  it('keeps a message for ever', async () => {
    await azureQueues(azurite)('for-ever').send('kept');
    const client = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient('for-ever');
    const [message] = (await client.peekMessages()).peekedMessageItems;
    expect(message?.expiresOn.getUTCFullYear()).toBe(9999);
  });

  it('tells a refusal by its status, code and request id, without the address', async () => {
    const { queue } = await account(answer(403, 'AuthenticationFailed'));
    const fault = await caught(queue.send('x'));
    expect(fault).toMatchObject({
      name: 'StorageFault',
      status: 403,
      code: 'AuthenticationFailed',
      requestId: 'req-1',
    });
    expect(String(fault)).not.toContain('sig=');
  });
});

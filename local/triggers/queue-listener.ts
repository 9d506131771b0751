import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { Log } from '../log.ts';
import { isGone } from '../storage-accounts.ts';
import { createOutage } from '../outage.ts';
import { reasonOf } from '../reason.ts';
import { createBackoff } from './backoff.ts';
import { createNap, graceMs, settleWithin, type Listener } from './listener.ts';
import { holdMessage, type MessageLease } from './message-lease.ts';
import type { QueueSettings } from './settings.ts';

const minPollingIntervalMs = 100;

/** No further try can help this message: it goes to the poison queue at once. */
export class UndeliverableMessage extends Error {}

export interface QueueListenerOptions {
  readonly queue: QueueClient;
  /** Undefined for a queue that has none: what fails there stays hidden until its time is over, then comes back. */
  readonly poisonQueue: QueueClient | undefined;
  readonly settings: Omit<QueueSettings, 'messageEncoding'>;
  readonly messageLeaseMs: number;
  readonly log: Log;
  /** Handles one message. Rejects when it is to be tried again, with UndeliverableMessage when that is no use. */
  readonly handle: (message: DequeuedMessageItem) => Promise<void>;
}

export interface QueueListener extends Listener {
  /** Looks for messages now: one was just put there. */
  wake(): void;
  /** Resolves once the queue exists; rejects when it cannot be created. */
  ready(): Promise<void>;
}

/**
 * Reads a queue as the SDK's QueueListener does: pauses that grow while it is empty, a next batch once few messages are
 * left, each message held while it is handled, moved to the poison queue when it has failed often enough.
 */
export function startQueueListener(options: QueueListenerOptions): QueueListener {
  const { queue, poisonQueue, settings, log } = options;
  const backoff = createBackoff(minPollingIntervalMs, settings.maxPollingIntervalMs);
  const outage = createOutage(`The queue '${queue.name}'`, log);
  const nap = createNap();
  const tooOften = `has reached MaxDequeueCount of ${settings.maxDequeueCount}`;
  const running = new Map<MessageLease, Promise<void>>();
  let room = Promise.withResolvers<void>();
  let exists = false;
  let stopped = false;

  async function ready(): Promise<void> {
    if (!exists) await queue.createIfNotExists();
    exists = true;
  }

  async function receive(): Promise<DequeuedMessageItem[]> {
    await ready();
    const { receivedMessageItems } = await queue.receiveMessages({
      numberOfMessages: settings.batchSize,
      visibilityTimeout: Math.ceil(options.messageLeaseMs / 1000),
    });
    return receivedMessageItems;
  }

  async function poll(): Promise<void> {
    while (!stopped) {
      let messages: DequeuedMessageItem[] = [];
      try {
        messages = await receive();
        outage.end();
      } catch (error) {
        exists = false;
        // A queue that was deleted is made again at the next turn.
        if (!isGone(error)) outage.begin(error);
      }
      for (const message of messages) take(message);
      if (messages.length === 0) {
        await nap.sleep(backoff.next());
        continue;
      }
      backoff.reset();
      while (running.size > settings.newBatchThreshold && !stopped) await room.promise;
    }
  }

  function take(message: DequeuedMessageItem): void {
    const lease = holdMessage(queue, message, options.messageLeaseMs, log);
    const run = (stopped ? lease.release(0) : deliver(lease))
      .catch((error: unknown) => {
        log.error(
          `Message ${message.messageId} of the queue '${queue.name}' could not be settled; it shows up again when its ` +
            `time is over: ${reasonOf(error)}`,
        );
      })
      .finally(() => {
        running.delete(lease);
        room.resolve();
        room = Promise.withResolvers();
      });
    running.set(lease, run);
  }

  async function deliver(lease: MessageLease): Promise<void> {
    const { message } = lease;
    // A message that has ended the host before comes back with a count that nobody has looked at.
    if (poisonQueue !== undefined && message.dequeueCount > settings.maxDequeueCount) {
      await bury(lease, poisonQueue, tooOften);
      return;
    }
    try {
      await options.handle(message);
    } catch (error) {
      if (poisonQueue === undefined) await lease.abandon();
      else if (error instanceof UndeliverableMessage) await bury(lease, poisonQueue, error.message);
      else if (message.dequeueCount < settings.maxDequeueCount) await lease.release(settings.visibilityTimeoutMs);
      else await bury(lease, poisonQueue, tooOften);
      return;
    }
    await lease.remove();
  }

  /** First into the poison queue, then out of this one: a crash between the two doubles a message, never loses it. */
  async function bury(lease: MessageLease, grave: QueueClient, why: string): Promise<void> {
    const { messageId, messageText } = lease.message;
    log.warn(`Message ${messageId} of the queue '${queue.name}' ${why}. Moving it to the queue '${grave.name}'.`);
    await grave.createIfNotExists();
    await grave.sendMessage(messageText);
    await lease.remove();
  }

  const polling = poll();
  return {
    ready,
    wake() {
      backoff.reset();
      nap.wake();
    },
    async stop() {
      stopped = true;
      nap.wake();
      room.resolve();
      await settleWithin([polling], graceMs);
      await settleWithin(running.values(), graceMs);
      // What still runs dies with the process: its message need not stay hidden for the rest of its time.
      const left = [...running.keys()];
      if (left.length > 0)
        log.warn(`Messages of the queue '${queue.name}' still being handled at the stop: ${left.length}.`);
      await settleWithin(
        left.map((lease) => lease.release(0)),
        graceMs,
      );
    },
  };
}

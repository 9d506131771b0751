import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { Log } from '../log.ts';
import { isGone } from '../storage-accounts.ts';
import { reasonOf } from '../reason.ts';

/** The hold on a message while its function runs. Each renewal changes the receipt that the next request needs. */
export interface MessageLease {
  readonly message: DequeuedMessageItem;
  /** Ends the renewals and deletes the message. */
  remove(): Promise<void>;
  /** Ends the renewals and lets the message show up again after this time. */
  release(visibilityTimeoutMs: number): Promise<void>;
  /** Ends the renewals: the message shows up again when its present time is over. */
  abandon(): Promise<void>;
}

/** Renews the hold at half of its time, as the SDK does, until the message is removed or released. */
export function holdMessage(queue: QueueClient, message: DequeuedMessageItem, leaseMs: number, log: Log): MessageLease {
  const { messageId } = message;
  let receipt = message.popReceipt;
  let renewal: Promise<void> = Promise.resolve();
  let renewing = false;

  async function renew(): Promise<void> {
    try {
      const answer = await queue.updateMessage(messageId, receipt, undefined, Math.ceil(leaseMs / 1000));
      receipt = answer.popReceipt ?? receipt;
    } catch (error) {
      if (isGone(error)) clearInterval(timer);
      log.warn(
        `The hold on message ${messageId} of the queue '${queue.name}' was not renewed while its function runs; ` +
          `it may run twice: ${reasonOf(error)}`,
      );
    } finally {
      renewing = false;
    }
  }

  const timer = setInterval(() => {
    if (renewing) return;
    renewing = true;
    renewal = renew();
  }, leaseMs / 2);

  /** The receipt that counts once no renewal is on its way. */
  async function lastReceipt(): Promise<string> {
    clearInterval(timer);
    await renewal;
    return receipt;
  }

  async function unlessGone(request: Promise<unknown>): Promise<void> {
    try {
      await request;
    } catch (error) {
      if (!isGone(error)) throw error;
      log.warn(`Message ${messageId} of the queue '${queue.name}' was taken or deleted by somebody else meanwhile.`);
    }
  }

  return {
    message,
    async remove() {
      await unlessGone(queue.deleteMessage(messageId, await lastReceipt()));
    },
    async release(visibilityTimeoutMs) {
      const seconds = Math.round(visibilityTimeoutMs / 1000);
      await unlessGone(queue.updateMessage(messageId, await lastReceipt(), undefined, seconds));
    },
    async abandon() {
      await lastReceipt();
    },
  };
}

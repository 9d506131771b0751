import type { DequeuedMessageItem } from '@azure/storage-queue';
import type { RpcTypedData } from '../core-api.ts';
import type { RegisteredFunction } from '../functions.ts';
import type { Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { reasonOf } from '../reason.ts';
import { expandSettings } from '../setting-names.ts';
import { requireConnection, type StorageAccounts } from '../storage-accounts.ts';
import { decodeMessage } from './message-text.ts';
import { startQueueListener, UndeliverableMessage, type QueueListener } from './queue-listener.ts';
import type { QueueWatcher } from './queue-watcher.ts';
import type { ListenerTimes, QueueSettings } from './settings.ts';
import { systemData, toOffsetTime } from './trigger-metadata.ts';

/** A queue trigger whose settings are all found. */
export interface QueueTrigger {
  readonly kind: 'queue';
  readonly fn: RegisteredFunction;
  readonly queueName: string;
  /** A connection string. */
  readonly connection: string;
}

/** The name as the SDK takes it: in lower case. Throws on one that storage would refuse. */
export function queueNameOf(text: string, env: NodeJS.ProcessEnv): string {
  const name = expandSettings(text, env).toLowerCase();
  if (!/^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
    throw new Error(`"${name}" is no queue name: 3 to 63 of a-z, 0-9 and single '-'.`);
  }
  return name;
}

/** Throws when the queue's name or connection cannot be resolved. */
export function indexQueueTrigger(fn: RegisteredFunction, env: NodeJS.ProcessEnv): QueueTrigger {
  const { queueName, connection } = fn.trigger;
  if (queueName === undefined) throw new Error('its queueTrigger has no queueName.');
  return {
    kind: 'queue',
    fn,
    queueName: queueNameOf(queueName, env),
    connection: requireConnection(env, connection),
  };
}

export interface QueueTriggerOptions {
  readonly accounts: StorageAccounts;
  readonly settings: QueueSettings;
  readonly times: ListenerTimes;
  readonly watcher: QueueWatcher;
  readonly invoke: Invoke;
  readonly log: Log;
}

/** Fires the function for each message; its failure counts as a try of the message. */
export function startQueueTrigger(
  { fn, queueName, connection }: QueueTrigger,
  { accounts, settings, times, watcher, invoke, log }: QueueTriggerOptions,
): QueueListener {
  const queue = accounts.queue(connection, queueName);

  async function handle(message: DequeuedMessageItem): Promise<void> {
    const text = textOf(message);
    try {
      await invoke(fn, {
        data: { string: text },
        reason: `New queue message detected on '${queueName}'.`,
        triggerMetadata: metadataOf(message, text, fn.name),
      });
    } catch (error) {
      log.error(`The function '${fn.name}' failed.`, error);
      throw error;
    }
  }

  function textOf({ messageId, messageText }: DequeuedMessageItem): string {
    try {
      return decodeMessage(messageText, settings.messageEncoding);
    } catch (error) {
      // What is undeliverable is named on its way to the poison queue.
      if (!(error instanceof UndeliverableMessage))
        log.warn(`Message ${messageId} of the queue '${queueName}' ${reasonOf(error)}.`);
      throw error;
    }
  }

  const listener = startQueueListener({
    queue,
    poisonQueue: hasPoisonQueue(queueName) ? accounts.queue(connection, queueName + poisonSuffix) : undefined,
    settings,
    messageLeaseMs: times.messageLeaseMs,
    log,
    handle,
  });
  watcher.watch(queue.url, listener.wake);
  return listener;
}

const poisonSuffix = '-poison';

/** A poison queue has none of its own, and a name may be too long for one (QueueListenerFactory). */
function hasPoisonQueue(queueName: string): boolean {
  return !queueName.endsWith(poisonSuffix) && queueName.length + poisonSuffix.length <= 63;
}

/** What the function finds in `context.triggerMetadata`; the library makes the names camelCase. */
function metadataOf(message: DequeuedMessageItem, text: string, functionName: string): Record<string, RpcTypedData> {
  return {
    QueueTrigger: { string: text },
    Id: { string: message.messageId },
    DequeueCount: { int: message.dequeueCount },
    InsertionTime: { json: JSON.stringify(toOffsetTime(message.insertedOn)) },
    ExpirationTime: { json: JSON.stringify(toOffsetTime(message.expiresOn)) },
    NextVisibleTime: { json: JSON.stringify(toOffsetTime(message.nextVisibleOn)) },
    PopReceipt: { string: message.popReceipt },
    sys: systemData(functionName),
  };
}

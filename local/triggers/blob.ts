import type { DequeuedMessageItem } from '@azure/storage-queue';
import type { RegisteredFunction } from '../functions.ts';
import type { Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { expandSettings } from '../setting-names.ts';
import { requireConnection, type StorageAccounts } from '../storage-accounts.ts';
import { decodeBlobMessage, encodeBlobMessage } from './blob-message.ts';
import { createBlobReceipts } from './blob-receipts.ts';
import { runForBlob } from './blob-run.ts';
import { startBlobScan, type BlobScan } from './blob-scan.ts';
import { hostContainer } from './host-storage.ts';
import type { Listener } from './listener.ts';
import { compilePath, type PathTemplate } from './path-template.ts';
import { startQueueListener } from './queue-listener.ts';
import type { BlobSettings, ListenerTimes } from './settings.ts';

/** A blob trigger whose settings are all found. */
export interface BlobTrigger {
  readonly kind: 'blob';
  readonly fn: RegisteredFunction;
  readonly path: PathTemplate;
  /** A connection string. */
  readonly connection: string;
  /** Where the host keeps receipts and messages: AzureWebJobsStorage. */
  readonly hostConnection: string;
}

/** Throws when the path or a connection cannot be resolved, and for a source that this host does not serve. */
export function indexBlobTrigger(fn: RegisteredFunction, env: NodeJS.ProcessEnv): BlobTrigger {
  const { path = '', connection, source } = fn.trigger;
  if (source?.toLowerCase() === 'eventgrid') {
    throw new Error('a blob trigger with the source EventGrid is not served by this host, only LogsAndContainerScan.');
  }
  return {
    kind: 'blob',
    fn,
    path: compilePath(expandSettings(path, env)),
    connection: requireConnection(env, connection),
    hostConnection: requireConnection(env, undefined),
  };
}

export interface BlobTriggersOptions {
  readonly accounts: StorageAccounts;
  readonly hostId: string;
  readonly settings: BlobSettings;
  readonly times: ListenerTimes;
  readonly invoke: Invoke;
  readonly log: Log;
}

const poisonQueueName = 'webjobs-blobtrigger-poison';
const maxPollingIntervalMs = 60_000;

/**
 * Fires functions for new versions of blobs: a scan of each container puts a message for each version into one queue
 * of this host, and that queue gives each version its tries.
 */
export function startBlobTriggers(
  triggers: readonly [BlobTrigger, ...BlobTrigger[]],
  { accounts, hostId, settings, times, invoke, log }: BlobTriggersOptions,
): Listener {
  const { hostConnection } = triggers[0];
  const queue = accounts.queue(hostConnection, `azure-webjobs-blobtrigger-${hostId}`);
  const byFunction = new Map<string, { trigger: BlobTrigger; scan: BlobScan }>();

  async function handle({ messageId, messageText }: DequeuedMessageItem): Promise<void> {
    const { FunctionId, ContainerName, BlobName, ETag } = decodeBlobMessage(messageText);
    const registered = byFunction.get(FunctionId);
    if (registered === undefined) {
      log.warn(
        `Message ${messageId} of the queue '${queue.name}' is for '${FunctionId}', which is not served: dropped.`,
      );
      return;
    }
    const { trigger, scan } = registered;
    const container = accounts.container(trigger.connection, ContainerName);
    try {
      const outcome = await runForBlob({ ...trigger, container, invoke }, BlobName, ETag);
      // Its new version has no receipt yet: the next scan announces it.
      if (outcome === 'changed') scan.wake();
    } catch (error) {
      log.error(`The function '${trigger.fn.name}' failed.`, error);
      throw error;
    }
  }

  const batchSize = Math.min(Math.ceil(settings.maxDegreeOfParallelism / 2), 32);
  const listener = startQueueListener({
    queue,
    poisonQueue: accounts.queue(hostConnection, poisonQueueName),
    settings: {
      ...{ batchSize, maxPollingIntervalMs, visibilityTimeoutMs: 0 },
      newBatchThreshold: settings.maxDegreeOfParallelism - batchSize,
      maxDequeueCount: settings.poisonBlobThreshold,
    },
    messageLeaseMs: times.messageLeaseMs,
    log,
    handle,
  });

  for (const trigger of triggers) {
    const { fn, path, connection } = trigger;
    const functionId = `Host.Functions.${fn.name}`;
    const scan = startBlobScan({
      functionName: fn.name,
      path,
      container: accounts.container(connection, path.container),
      receipts: createBlobReceipts(accounts.container(hostConnection, hostContainer), hostId, fn.name),
      scanMs: times.blobScanMs,
      log,
      async announce({ container, blob, etag }, blobType) {
        const names = { ContainerName: container, BlobName: blob, ETag: etag };
        const message = { Type: 'BlobTrigger', FunctionId: functionId, BlobType: blobType, ...names } as const;
        await listener.ready();
        await queue.sendMessage(encodeBlobMessage(message));
        listener.wake();
      },
    });
    byFunction.set(functionId, { trigger, scan });
  }

  return {
    async stop() {
      await Promise.all(Array.from(byFunction.values(), ({ scan }) => scan.stop()));
      await listener.stop();
    },
  };
}

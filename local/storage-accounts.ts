import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { QueueServiceClient, type QueueClient } from '@azure/storage-queue';
import { findConnection } from './connections.ts';

/** Containers and queues by connection string and name; one pipeline for each account. */
export interface StorageAccounts {
  container(connection: string, name: string): ContainerClient;
  queue(connection: string, name: string): QueueClient;
}

// Listeners go on after a failure of their own accord: the SDK need not hold them for minutes.
const retryOptions = { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 1000 };

export function createStorageAccounts(): StorageAccounts {
  const blobs = new Map<string, BlobServiceClient>();
  const queues = new Map<string, QueueServiceClient>();
  return {
    container(connection, name) {
      const service = blobs.get(connection) ?? BlobServiceClient.fromConnectionString(connection, { retryOptions });
      blobs.set(connection, service);
      return service.getContainerClient(name);
    },
    queue(connection, name) {
      const service = queues.get(connection) ?? QueueServiceClient.fromConnectionString(connection, { retryOptions });
      queues.set(connection, service);
      return service.getQueueClient(name);
    },
  };
}

/** The connection string that a binding names. Throws with the real host's text when there is none, or no usable one. */
export function requireConnection(env: NodeJS.ProcessEnv, name: string | undefined): string {
  const named = name === undefined || name === '' ? 'Storage' : name;
  const connection = findConnection(env, named);
  if (connection === undefined) {
    throw new Error(
      `Storage account connection string '${named}' does not exist: set "${named}" or "AzureWebJobs${named}". ` +
        'This host takes connection strings only, no identity-based connections.',
    );
  }
  try {
    BlobServiceClient.fromConnectionString(connection);
  } catch (error) {
    throw new Error(`The connection '${named}' is set to no connection string of a storage account.`, { cause: error });
  }
  return connection;
}

/** Whether an error is storage's answer that the thing (or this hold on it) is not there any more. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code: unknown = Reflect.get(error, 'code');
  return Reflect.get(error, 'statusCode') === 404 || code === 'PopReceiptMismatch';
}

import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { findConnection } from './connections.ts';

const PATIENCE_MS = 3000;
const PAUSE_MS = 300;

/**
 * Waits until the storage that the host itself works with answers, if one is named. Any answer will do: whether it is a good
 * one is told by the first request that needs it. Throws, with what to do, when nothing answers in time.
 */
export async function awaitStorage(env: NodeJS.ProcessEnv): Promise<void> {
  const connection = findConnection(env);
  if (connection === undefined) return;
  const url = addressOf(connection);
  for (const until = Date.now() + PATIENCE_MS; ; await wait(PAUSE_MS)) {
    try {
      await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
      return;
    } catch (error) {
      if (Date.now() < until) continue;
      throw new Error(
        `The storage at ${url} (setting AzureWebJobsStorage) does not answer: start it (npm start brings its own Azurite), or correct the setting.`,
        { cause: error instanceof Error && error.cause instanceof Error ? error.cause : error },
      );
    }
  }
}

function addressOf(connection: string): string {
  try {
    return BlobServiceClient.fromConnectionString(connection).url;
  } catch (error) {
    throw new Error('The setting AzureWebJobsStorage is not a connection string of a storage account.', {
      cause: error,
    });
  }
}

import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { RestError, TableClient } from '@azure/data-tables';
import { findConnection } from '../connections.ts';
import type { Log } from '../log.ts';
import { ownHub } from './hub-owner.ts';
import { createMemoryStore } from './memory-store.ts';
import type { InstanceStore } from './store.ts';
import { createTablesStore } from './tables-store.ts';

export interface OpenStore {
  readonly store: InstanceStore;
  /** Settles with a reason when another host has taken the hub: this one must stop then. */
  readonly lost: Promise<string>;
  close(): void;
}

const toDo =
  "Start Azurite ('npm start' does), or set AzureWebJobsStorage to 'memory' for a host that forgets everything at its end.";

/** A store for apps without durable functions: nobody writes to it. */
export function memoryOnly(): OpenStore {
  return { store: createMemoryStore(), lost: new Promise<string>(() => undefined), close: () => undefined };
}

/**
 * Opens the store of durable instances: a table of the storage that AzureWebJobsStorage names, or memory where it is
 * not set or says `memory`. Throws one line that says what to do when the storage cannot be reached.
 */
export async function openStore(env: NodeJS.ProcessEnv, hubName: string, log: Log): Promise<OpenStore> {
  const connection = findConnection(env);
  if (connection === undefined) {
    log.info(
      "Durable instances are kept in memory (AzureWebJobsStorage is not set or 'memory'): none survives a restart.",
    );
    return memoryOnly();
  }
  const table = tableOf(hubName);
  await requireTable(connection, table);
  const client = clientOf(connection, table, { maxRetries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 1000 });
  const lost = Promise.withResolvers<string>();
  const onLost = (): void =>
    lost.resolve(`Another host has taken over the task hub '${hubName}' on this storage: this one stops.`);
  const owner = randomUUID();
  const hub = await ownHub(client, owner, log, onLost);
  const unreadable = new Set<string>();
  const store = createTablesStore({
    ...{ client, owner, onOvertaken: onLost },
    onUnreadable({ message }) {
      // Told once, however often instances are listed.
      if (!unreadable.has(message)) log.error(`${message} It is left as it is; the host goes on without it.`);
      unreadable.add(message);
    },
  });
  log.info(`Durable instances are kept in the table '${table}' of ${new URL(client.url).host}.`);
  return { store, lost: lost.promise, close: () => hub.release() };
}

/** A name of its own, so that the real host's tables of the same hub are left alone. */
function tableOf(hubName: string): string {
  if (!/^[A-Za-z][A-Za-z0-9]{2,44}$/.test(hubName)) {
    throw new Error(
      `The task hub name '${hubName}' (hubName in host.json) must have 3 to 45 letters and digits and begin with a letter.`,
    );
  }
  return `${hubName}Embedded`;
}

/**
 * With a limit of their own: only then Node closes an idle connection before storage does, which names its time in an answer. A commit
 * that meets the closing would be lost.
 */
const idle = { keepAlive: true, timeout: 60_000 };
const connections = new HttpAgent(idle);
const secureConnections = new HttpsAgent(idle);

function clientOf(connection: string, table: string, retryOptions: object): TableClient {
  try {
    const options = { allowInsecureConnection: true, retryOptions };
    const { url } = TableClient.fromConnectionString(connection, table, options);
    const agent = url.startsWith('https:') ? secureConnections : connections;
    return TableClient.fromConnectionString(connection, table, { ...options, agent });
  } catch {
    // The SDK's message may quote the text, which holds a key.
    throw new Error(`AzureWebJobsStorage is not a connection string of a storage account with tables. ${toDo}`);
  }
}

async function requireTable(connection: string, table: string): Promise<void> {
  const client = clientOf(connection, table, { maxRetries: 0 });
  try {
    await client.createTable();
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    const why = error.code ?? error.statusCode ?? error.message;
    throw new Error(
      `The storage of AzureWebJobsStorage, ${new URL(client.url).host}, cannot be used (${why}). ${toDo}`,
    );
  }
}

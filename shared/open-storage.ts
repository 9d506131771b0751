import type { DatastorePlace } from './domain/resources.ts';
import { MEMORY, type Settings } from './settings.ts';
import { withArtifactStore } from './steps/artifact-store.ts';
import type { DatastoreSourceDeps } from './steps/datastore-source.ts';
import type { Datastore } from './steps/deps.ts';
import { accountOf, connectionOf } from './storage/account.ts';
import { azureBlobs } from './storage/azure-blobs.ts';
import { azureQueues } from './storage/azure-queues.ts';
import { azureTables } from './storage/azure-tables.ts';
import type { AdapterOptions, TokenSource } from './storage/connection.ts';
import { accountAccess } from './storage/container-access.ts';
import { memoryBlobs } from './storage/memory-blobs.ts';
import { memoryQueues } from './storage/memory-queues.ts';
import { memoryTables } from './storage/memory-tables.ts';
import type { Blobs, Queue, Table } from './storage/ports.ts';

/** The app's one table: jobs and resources are told apart by their partitions. */
const TABLE = 'batchpoint';

/** The adapters of the app's own state. */
export interface StateStorage {
  readonly blobs: Blobs;
  readonly table: Table;
  readonly queue: (name: string) => Queue;
}

/** The datastores of the settings, and the opener of others in the accounts that the settings name. */
export type OpenDatastores = Pick<DatastoreSourceDeps, 'configured' | 'open'>;

/** Opens all storage that the settings name, with adapters of its own for each call; what is in memory is the same for all. */
export function storageOf(
  settings: Settings,
  identity: TokenSource,
): (options?: AdapterOptions) => { state: StateStorage; datastores: OpenDatastores } {
  const memory: Memory = {
    state: { blobs: memoryBlobs(), table: memoryTables()(TABLE), queue: memoryQueues() },
    data: memoryBlobs(),
  };
  return (options = {}) => ({
    state: stateStorage(settings, identity, memory, options),
    datastores: openDatastores(settings, identity, memory, options),
  });
}

interface Memory {
  readonly state: StateStorage;
  readonly data: Blobs;
}

/** `identity` opens what the settings give by address. */
function stateStorage(
  { state, inAzure }: Settings,
  identity: TokenSource,
  memory: Memory,
  options: AdapterOptions,
): StateStorage {
  if (state.blob !== MEMORY)
    return {
      blobs: azureBlobs(connectionOf(state.blob, identity), options),
      table: azureTables(connectionOf(state.table, identity), options)(TABLE),
      queue: azureQueues(connectionOf(state.queue, identity)),
    };
  if (inAzure) throw new Error('BATCHPOINT_STATE may not be memory in Azure.');
  return memory.state;
}

function openDatastores(
  settings: Settings,
  identity: TokenSource,
  memory: Memory,
  options: AdapterOptions,
): OpenDatastores {
  const named = withArtifactStore(settings.BATCHPOINT_DATASTORES);
  const connections = new Set([
    ...settings.BATCHPOINT_DATASTORE_ACCOUNTS,
    ...named.map(({ connection }) => connection),
  ]);
  const accounts = [...connections].map((connection) =>
    connection === MEMORY
      ? account(connection, { account: MEMORY, endpoint: 'https://memory.blob.invalid' }, memory.data)
      : azureAccount(connection, identity, options),
  );
  return {
    configured: named.flatMap(({ name, connection, container }) =>
      accounts.filter((one) => one.connection === connection).map((one) => one.datastore(name, container)),
    ),
    open: (name: string, place: DatastorePlace): Datastore | undefined =>
      accounts.find((one) => one.name === place.account)?.datastore(name, place.container),
  };
}

/** What the settings say of an account, opened. */
function azureAccount(connection: string, identity: TokenSource, options: AdapterOptions) {
  const opened = connectionOf(connection, identity);
  return account(connection, accountOf(connection), azureBlobs(opened, options), accountAccess(opened));
}

function account(
  connection: string,
  { account: name, endpoint }: ReturnType<typeof accountOf>,
  blobs: Blobs,
  accessTo?: ReturnType<typeof accountAccess>,
) {
  return {
    name,
    connection,
    datastore(datastore: string, container: string): Datastore {
      const access = accessTo?.(container);
      return { address: { name: datastore, account: name, container, endpoint }, blobs, ...(access && { access }) };
    },
  };
}

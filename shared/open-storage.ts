import type { DatastorePlace } from './domain/resources.ts';
import { MEMORY, type Settings } from './settings.ts';
import { withArtifactStore } from './steps/artifact-store.ts';
import type { Datastore } from './steps/deps.ts';
import { accountOf, connectionOf } from './storage/account.ts';
import { azureBlobs } from './storage/azure-blobs.ts';
import { azureQueues } from './storage/azure-queues.ts';
import { azureTables } from './storage/azure-tables.ts';
import type { TokenSource } from './storage/connection.ts';
import { accountAccess } from './storage/container-access.ts';
import { memoryBlobs } from './storage/memory-blobs.ts';
import { memoryQueues } from './storage/memory-queues.ts';
import { memoryTables } from './storage/memory-tables.ts';
import type { Blobs, Queue, Table } from './storage/ports.ts';

/** The app's one table: jobs and resources are told apart by their partitions. */
const TABLE = 'batchpoint';

/** The adapters of the app's own state. `identity` opens what the settings give by address. */
export function stateStorage(
  { state, inAzure }: Settings,
  identity: TokenSource,
): { blobs: Blobs; table: Table; queue: (name: string) => Queue } {
  if (state.blob !== MEMORY)
    return {
      blobs: azureBlobs(connectionOf(state.blob, identity)),
      table: azureTables(connectionOf(state.table, identity))(TABLE),
      queue: azureQueues(connectionOf(state.queue, identity)),
    };
  if (inAzure) throw new Error('BATCHPOINT_STATE may not be memory in Azure.');
  return { blobs: memoryBlobs(), table: memoryTables()(TABLE), queue: memoryQueues() };
}

/** The datastores of the settings, and the opener of others in the accounts that the settings name. */
export function openDatastores(settings: Settings, identity: TokenSource) {
  const named = withArtifactStore(settings.BATCHPOINT_DATASTORES);
  const connections = new Set([
    ...settings.BATCHPOINT_DATASTORE_ACCOUNTS,
    ...named.map(({ connection }) => connection),
  ]);
  const accounts = [...connections].map((connection) => account(connection, identity));
  return {
    configured: named.flatMap(({ name, connection, container }) =>
      accounts.filter((one) => one.connection === connection).map((one) => one.datastore(name, container)),
    ),
    open: (name: string, place: DatastorePlace): Datastore | undefined =>
      accounts.find((one) => one.name === place.account)?.datastore(name, place.container),
  };
}

/** What the settings say of an account, opened. */
function account(connection: string, identity: TokenSource) {
  const memory = connection === MEMORY;
  const { account: name, endpoint } = memory
    ? { account: MEMORY, endpoint: 'https://memory.blob.invalid' }
    : accountOf(connection);
  const opened = connectionOf(connection, identity);
  const blobs = memory ? memoryBlobs() : azureBlobs(opened);
  const accessTo = memory ? undefined : accountAccess(opened);
  return {
    name,
    connection,
    datastore(datastore: string, container: string): Datastore {
      const access = accessTo?.(container);
      return { address: { name: datastore, account: name, container, endpoint }, blobs, ...(access && { access }) };
    },
  };
}

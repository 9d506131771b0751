import type { WorkspaceAddress } from './domain/uri.ts';
import { MEMORY, type Settings } from './settings.ts';
import type { Clock } from './steps/ports.ts';
import { signedUrls, type SignedUrls } from './steps/signed-urls.ts';
import { accountOf } from './storage/account.ts';
import { azureBlobs } from './storage/azure-blobs.ts';
import type { AdapterOptions } from './storage/connection.ts';
import type { Table } from './storage/ports.ts';
import { jobSecrets } from './storage/registry/job-secrets.ts';
import type { KeyWrapping } from './storage/sealing/key-wrapping.ts';

interface Own {
  readonly table: Table;
  readonly wrapping: KeyWrapping;
  readonly workspace: WorkspaceAddress;
  readonly clock: Clock;
}

/** The signatures of callers, sealed, for the accounts that the settings name. */
export function openSignedUrls(
  settings: Settings,
  { table, wrapping, workspace, clock }: Own,
  options: AdapterOptions = {},
): SignedUrls {
  const { BATCHPOINT_DATASTORES: datastores, BATCHPOINT_DATASTORE_ACCOUNTS: further } = settings;
  const connections = [...datastores.map(({ connection }) => connection), ...further];
  return signedUrls({
    secrets: jobSecrets(table, wrapping),
    accounts: connections.filter((connection) => connection !== MEMORY).map(accountOf),
    workspace,
    open: (serviceUri) => azureBlobs({ serviceUri }, options),
    clock,
  });
}

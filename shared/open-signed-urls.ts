import type { WorkspaceAddress } from './domain/uri.ts';
import { MEMORY, type Settings } from './settings.ts';
import type { Clock } from './steps/ports.ts';
import { signedUrls, type SignedUrls } from './steps/signed-urls.ts';
import { accountOf } from './storage/account.ts';
import { azureBlobs } from './storage/azure-blobs.ts';
import type { Blobs, Table } from './storage/ports.ts';
import { appKey } from './storage/registry/app-key.ts';
import { jobSecrets } from './storage/registry/job-secrets.ts';

interface Own {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly workspace: WorkspaceAddress;
  readonly clock: Clock;
}

/** The signatures of callers, for the accounts that the settings name: sealed with the operator's secret, else with the app's own key. */
export function openSignedUrls(settings: Settings, { table, blobs, workspace, clock }: Own): SignedUrls {
  const {
    BATCHPOINT_DATASTORES: datastores,
    BATCHPOINT_DATASTORE_ACCOUNTS: further,
    BATCHPOINT_SEALING_KEY: key,
  } = settings;
  const connections = [...datastores.map(({ connection }) => connection), ...further];
  return signedUrls({
    secrets: jobSecrets(table, key === undefined ? appKey(blobs) : () => Promise.resolve(key)),
    accounts: connections.filter((connection) => connection !== MEMORY).map(accountOf),
    workspace,
    open: (serviceUri) => azureBlobs({ serviceUri }),
    clock,
  });
}

import type { TokenSource } from './storage/connection.ts';
import type { Settings } from './settings.ts';
import { delegations, type DelegationDeps, type Delegations } from './steps/identity/delegations.ts';
import { azureBlobs } from './storage/azure-blobs.ts';
import { appKey } from './storage/registry/app-key.ts';
import { localWrapping } from './storage/sealing/local-wrapping.ts';
import { vaultWrapping } from './storage/sealing/vault-wrapping.ts';
import { signContainers } from './storage/user-delegation.ts';

/** The access of callers, kept under a key of the vault; on a developer's machine under the app's own. */
export function openDelegations(
  { BATCHPOINT_VAULT_KEY: key }: Settings,
  identity: TokenSource,
  own: Pick<DelegationDeps, 'blobs' | 'exchange' | 'clock' | 'log'>,
): Delegations {
  return delegations({
    ...own,
    wrapping: key === undefined ? localWrapping(appKey(own.blobs)) : vaultWrapping(key, identity),
    sign: signContainers,
    open: (serviceUri) => azureBlobs({ serviceUri }),
  });
}

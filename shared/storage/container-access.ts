import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { accountOf } from './account.ts';

/** What may be handed to a client that is to read and write a container by itself. */
export interface ContainerAccess {
  /** Azurite's published key, which opens nothing but an emulator. The key of a real account never leaves the app. */
  readonly publicKey?: string;
  /** A signature for this container alone (a query without `?`): read, write, list. `until` in milliseconds. */
  sign(until: number): string;
}

const AZURITE_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Clocks differ: a signature counts from a little before it was made. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** Undefined when the connection holds no account key, so that nothing can be signed with it. */
export function containerAccess(connectionString: string, container: string): ContainerAccess | undefined {
  const key = /(?:^|;)AccountKey=([^;]+)/i.exec(connectionString)?.[1] ?? developmentKey(connectionString);
  if (key === undefined) return undefined;
  const credential = new StorageSharedKeyCredential(accountOf(connectionString).account, key);
  return {
    ...(key === AZURITE_KEY && { publicKey: key }),
    sign: (until) =>
      generateBlobSASQueryParameters(
        {
          containerName: container,
          permissions: ContainerSASPermissions.parse('racwl'),
          startsOn: new Date(Date.now() - CLOCK_SKEW_MS),
          expiresOn: new Date(until),
        },
        credential,
      ).toString(),
  };
}

const developmentKey = (connectionString: string): string | undefined =>
  /(?:^|;)UseDevelopmentStorage=true/i.test(connectionString) ? AZURITE_KEY : undefined;

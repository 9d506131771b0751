import {
  type BlobServiceClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
  type BlobSASSignatureValues,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { accountKeyOf, accountOf, AZURITE_KEY } from './account.ts';
import { blobServiceFrom, type StorageConnection } from './connection.ts';
import { SERVICE_VERSION } from './service-version.ts';
import { ask } from './storage-faults.ts';

/** What may be handed to a client that is to read and write a container by itself. */
export interface ContainerAccess {
  /** Azure ML's word for it: an account whose key the app has, or one that the app opens with its identity. */
  readonly credentialsType: 'AccountKey' | 'Sas';
  /** Azurite's published key, which opens nothing but an emulator. The key of a real account never leaves the app. */
  readonly publicKey?: string;
  /** A signature for this container alone (a query without `?`): read, write, list. `until` in milliseconds. */
  sign(until: number): Promise<string>;
}

/** Clocks differ: a signature counts from a little before it was made. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** A key of the identity serves the signatures of so long; storage allows 7 days, and the shorter the sooner a lost right counts. */
const DELEGATION_MS = 2 * 60 * 60 * 1000;

const ANSWER_WITHIN_MS = 30_000;

/**
 * Makes the accesses of one account's containers. Undefined when the connection holds neither an account key nor an identity, so
 * that nothing can be signed with it.
 */
export function accountAccess(connection: StorageConnection): ((container: string) => ContainerAccess) | undefined {
  if ('connectionString' in connection) return keyAccess(connection.connectionString);
  return connection.credential && delegatedAccess(connection);
}

function keyAccess(connectionString: string): ((container: string) => ContainerAccess) | undefined {
  const key = accountKeyOf(connectionString);
  if (key === undefined) return undefined;
  const credential = new StorageSharedKeyCredential(accountOf(connectionString).account, key);
  return (container) => ({
    credentialsType: 'AccountKey',
    ...(key === AZURITE_KEY && { publicKey: key }),
    sign: async (until) => generateBlobSASQueryParameters(signed(container, until), credential).toString(),
  });
}

/** Signatures of the app's identity: they open what it may open itself, and end with its right to. */
function delegatedAccess(connection: StorageConnection): (container: string) => ContainerAccess {
  const service = blobServiceFrom(connection, { maxTries: 4, retryDelayInMs: 400, maxRetryDelayInMs: 2_000 });
  const keyUntil = delegationKeys(service);
  return (container) => ({
    credentialsType: 'Sas',
    sign: async (until) => {
      const key = await keyUntil(until);
      const values = { ...signed(container, until), version: SERVICE_VERSION };
      return generateBlobSASQueryParameters(values, key, service.accountName).toString();
    },
  });
}

/** The identity's key for signatures until a time; one is asked for only when the last one ends before it. */
function delegationKeys(service: BlobServiceClient): (until: number) => Promise<UserDelegationKey> {
  let held: UserDelegationKey | undefined;
  return async (until) => {
    if (held && held.signedExpiresOn.getTime() >= until) return held;
    const now = Date.now();
    // Twice the skew: a key that begins later than its signature is refused. Storage drops what is below a second.
    const startsOn = new Date(now - 2 * CLOCK_SKEW_MS);
    const expiresOn = new Date(Math.max(until + 1000, now + DELEGATION_MS));
    held = await ask('get a user delegation key', { answerWithinMs: ANSWER_WITHIN_MS }, (abortSignal) =>
      service.getUserDelegationKey(startsOn, expiresOn, { abortSignal }),
    );
    return held;
  };
}

const signed = (containerName: string, until: number): BlobSASSignatureValues => ({
  containerName,
  permissions: ContainerSASPermissions.parse('racwl'),
  startsOn: new Date(Date.now() - CLOCK_SKEW_MS),
  expiresOn: new Date(until),
});

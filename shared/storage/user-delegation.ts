import { ContainerSASPermissions, generateBlobSASQueryParameters, SASProtocol } from '@azure/storage-blob';
import { blobServiceFrom, type TokenSource } from './connection.ts';
import { SERVICE_VERSION } from './service-version.ts';
import { ask } from './storage-faults.ts';

/** What somebody's own rights are lent for. */
export interface ContainerUse {
  readonly account: string;
  /** The account's blob endpoint without a slash at its end. */
  readonly endpoint: string;
  readonly container: string;
  /** As a SAS writes them: `r`ead, `l`ist, `c`reate, `w`rite, `d`elete. */
  readonly permissions: string;
}

export type SignContainers = typeof signContainers;

/** Clocks differ: a signature counts from a little before it was made. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

const RETRIES = { maxTries: 4, retryDelayInMs: 400, maxRetryDelayInMs: 2_000 };
const ANSWER_WITHIN_MS = 30_000;

/**
 * Signatures (queries without `?`) for one container each, made with user delegation keys of whom the credential says: storage
 * allows with them what that person may do, and no more than is signed. One key is asked for per account; it can live 7 days.
 * `now` and `until` in milliseconds. Throws StorageFault, 403 when the person may not have such a key.
 */
export async function signContainers(
  credential: TokenSource,
  uses: readonly ContainerUse[],
  now: number,
  until: number,
): Promise<string[]> {
  const startsOn = new Date(now - CLOCK_SKEW_MS);
  const expiresOn = new Date(until);
  const keys = new Map<string, ReturnType<typeof delegationKey>>();
  const keyOf = (use: ContainerUse): ReturnType<typeof delegationKey> => {
    const key = keys.get(use.endpoint) ?? delegationKey(credential, use, startsOn, expiresOn);
    keys.set(use.endpoint, key);
    return key;
  };
  return Promise.all(
    uses.map(async (use) =>
      generateBlobSASQueryParameters(
        {
          containerName: use.container,
          permissions: ContainerSASPermissions.parse(use.permissions),
          protocol: SASProtocol.Https,
          version: SERVICE_VERSION,
          startsOn,
          expiresOn,
        },
        await keyOf(use),
        use.account,
      ).toString(),
    ),
  );
}

const delegationKey = (credential: TokenSource, { account, endpoint }: ContainerUse, from: Date, until: Date) =>
  ask(`delegation key of ${account}`, { answerWithinMs: ANSWER_WITHIN_MS }, (abortSignal) =>
    blobServiceFrom({ serviceUri: endpoint, credential }, RETRIES).getUserDelegationKey(from, until, { abortSignal }),
  );

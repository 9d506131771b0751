import { delegations, type Delegations } from '../../shared/steps/identity/delegations.ts';
import type { Clock } from '../../shared/steps/ports.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import type { Blobs } from '../../shared/storage/ports.ts';
import { localWrapping } from '../../shared/storage/sealing/local-wrapping.ts';
import { signContainers } from '../../shared/storage/user-delegation.ts';
import { silent } from './silent-log.ts';

/** Of an app that cannot exchange tokens, as on a developer's machine. */
export const noDelegations = (blobs: Blobs, clock: Clock): Delegations =>
  delegations({
    ...{ blobs, clock, log: silent, sign: signContainers, open: () => memoryBlobs() },
    wrapping: localWrapping(async () => new Uint8Array(32)),
  });

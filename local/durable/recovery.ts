import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { createLimiter } from './limiter.ts';
import { allHeads, UnreadableInstance, type InstanceStore, type StoredInstance } from './store.ts';
import { retryAfterFaultMs } from './until-done.ts';

export interface Recovery {
  /** Lists what is unfinished, then reads and adopts it in the background. Rejects when the list cannot be read. */
  begin(): Promise<void>;
  /** Settles once the instance is in memory, or was found to be unreadable; at once when it is not being loaded. */
  settled(instanceId: string): Promise<void>;
  /** Looks whether a write whose answer was lost has left the instance, and adopts it then. In the background. */
  reload(instanceId: string): void;
  /** Runs a change of a stored instance; who asks for it meanwhile waits, and afterwards it is adopted. */
  during(instanceId: string, change: () => Promise<void>): Promise<void>;
}

export interface RecoveryOptions {
  readonly store: InstanceStore;
  readonly log: Log;
  readonly adopt: (stored: StoredInstance) => void;
  readonly isStopped: () => boolean;
}

const concurrentReads = 16;

/** Brings stored instances back into memory: after a restart all that are unfinished, otherwise one by one. */
export function createRecovery({ store, log, adopt, isStopped }: RecoveryOptions): Recovery {
  const loading = new Map<string, Promise<void>>();
  const inTurn = createLimiter(concurrentReads);

  function adopted(stored: StoredInstance): void {
    try {
      adopt(stored);
    } catch (error) {
      const { instanceId } = stored.head;
      log.error(`The instance '${instanceId}' cannot go on. It is left as it is; the host goes on without it.`, error);
    }
  }

  async function load(instanceId: string): Promise<void> {
    while (!isStopped()) {
      try {
        const stored = await store.read(instanceId);
        if (stored !== undefined && !isStopped()) adopted(stored);
        return;
      } catch (error) {
        if (error instanceof UnreadableInstance) {
          log.error(`${error.message} It is left as it is; the host goes on without it.`);
          return;
        }
        log.error(`The instance '${instanceId}' could not be loaded; it is tried again.`, error);
        await wait(retryAfterFaultMs);
      }
    }
  }

  /** Nothing that happens to the instance is lost: whoever needs it waits for `done`. */
  function track(instanceId: string, done: Promise<void>): Promise<void> {
    const tracked: Promise<void> = done.finally(() => {
      // A later load of the same instance is waited for as well.
      if (loading.get(instanceId) === tracked) loading.delete(instanceId);
    });
    loading.set(instanceId, tracked);
    return tracked;
  }

  return {
    async begin() {
      const statuses = ['Pending', 'Running', 'Suspended'] as const;
      for await (const { instanceId } of allHeads(store, { statuses })) {
        const { promise, resolve } = Promise.withResolvers<void>();
        void track(instanceId, promise);
        inTurn(() => load(instanceId).finally(resolve));
      }
    },
    settled: async (instanceId) => loading.get(instanceId),
    reload: (instanceId) => void track(instanceId, load(instanceId)),
    during: (instanceId, change) =>
      track(
        instanceId,
        change().then(() => load(instanceId)),
      ),
  };
}

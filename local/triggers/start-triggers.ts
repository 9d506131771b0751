import type { HostConfig } from '../host-config.ts';
import type { Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { findConnection } from '../connections.ts';
import { requireConnection, type StorageAccounts } from '../storage-accounts.ts';
import type { Trigger } from './app-index.ts';
import { startBlobTriggers, type BlobTrigger } from './blob.ts';
import { hostContainer } from './host-storage.ts';
import type { Listener } from './listener.ts';
import { startQueueTrigger } from './queue.ts';
import type { QueueWatcher } from './queue-watcher.ts';
import { listenerTimes } from './settings.ts';
import { startTimerTrigger } from './timer.ts';
import { createTimerMonitor } from './timer-status.ts';

export interface TriggersOptions {
  readonly triggers: readonly Trigger[];
  readonly config: HostConfig;
  readonly env: NodeJS.ProcessEnv;
  readonly accounts: StorageAccounts;
  readonly watcher: QueueWatcher;
  readonly invoke: Invoke;
  readonly log: Log;
}

/** Starts a listener for each trigger. Storage need not be there yet: they go on trying. */
export function startTriggers(options: TriggersOptions): Listener {
  const { triggers, config, env, accounts, watcher, invoke, log } = options;
  const times = listenerTimes(env);
  const hostStorage = findConnection(env) === undefined ? undefined : requireConnection(env, undefined);

  const [first, ...others] = triggers.filter((trigger): trigger is BlobTrigger => trigger.kind === 'blob');
  const { hostId, blobs: settings } = config;
  const blobs =
    first === undefined
      ? []
      : [startBlobTriggers([first, ...others], { accounts, hostId, settings, times, invoke, log })];

  const listeners = triggers.flatMap((trigger): Listener[] => {
    switch (trigger.kind) {
      case 'blob':
        return [];
      case 'queue':
        return [startQueueTrigger(trigger, { accounts, settings: config.queues, times, watcher, invoke, log })];
      case 'timer': {
        const { name } = trigger.fn;
        if (trigger.useMonitor && hostStorage === undefined) {
          log.warn(`There is no AzureWebJobsStorage: an occurrence of '${name}' missed between runs goes unnoticed.`);
        }
        const monitor =
          trigger.useMonitor && hostStorage !== undefined
            ? createTimerMonitor(accounts.container(hostStorage, hostContainer), config.hostId, name, log)
            : undefined;
        return [startTimerTrigger(trigger, { monitor, invoke, log })];
      }
    }
  });

  return {
    async stop() {
      await Promise.all([...blobs, ...listeners].map((listener) => listener.stop()));
    },
  };
}

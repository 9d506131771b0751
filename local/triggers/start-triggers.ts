import type { HostConfig } from '../host-config.ts';
import type { Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { findConnection } from '../connections.ts';
import type { StorageAccounts } from '../storage-accounts.ts';
import type { Trigger } from './app-index.ts';
import type { Listener } from './listener.ts';
import { startQueueTrigger } from './queue.ts';
import type { QueueWatcher } from './queue-watcher.ts';
import { listenerTimes } from './settings.ts';
import { startTimerTrigger } from './timer.ts';
import { createTimerMonitor } from './timer-status.ts';

/** Where the SDK keeps what it must remember. */
const hostContainer = 'azure-webjobs-hosts';

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
  const hostStorage = findConnection(env);

  const listeners = triggers.map((trigger): Listener => {
    switch (trigger.kind) {
      case 'queue':
        return startQueueTrigger(trigger, { accounts, settings: config.queues, times, watcher, invoke, log });
      case 'timer': {
        const { name } = trigger.fn;
        if (trigger.useMonitor && hostStorage === undefined) {
          log.warn(`There is no AzureWebJobsStorage: an occurrence of '${name}' missed between runs goes unnoticed.`);
        }
        const monitor =
          trigger.useMonitor && hostStorage !== undefined
            ? createTimerMonitor(accounts.container(hostStorage, hostContainer), config.hostId, name, log)
            : undefined;
        return startTimerTrigger(trigger, { monitor, invoke, log });
      }
    }
  });

  return {
    async stop() {
      await Promise.all(listeners.map((listener) => listener.stop()));
    },
  };
}

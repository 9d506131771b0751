/** Tells a queue's listener that this host has put something into the queue, so that it need not wait for its poll. */
export interface QueueWatcher {
  watch(queueUrl: string, wake: () => void): void;
  notify(queueUrl: string): void;
}

export function createQueueWatcher(): QueueWatcher {
  const listeners = new Map<string, Set<() => void>>();
  return {
    watch(queueUrl, wake) {
      listeners.set(queueUrl, (listeners.get(queueUrl) ?? new Set()).add(wake));
    },
    notify(queueUrl) {
      for (const wake of listeners.get(queueUrl) ?? []) wake();
    },
  };
}

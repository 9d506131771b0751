/** External events of one replay, by name: those that come before their wait are kept. */
export interface ExternalEvents {
  wait(name: string, done: () => void): void;
  raise(name: string): void;
}

export function createExternalEvents(): ExternalEvents {
  const waiters = new Map<string, (() => void)[]>();
  const buffered = new Map<string, number>();
  const kept = (name: string): number => buffered.get(name) ?? 0;

  return {
    wait(name, done) {
      if (kept(name) > 0) {
        buffered.set(name, kept(name) - 1);
        done();
        return;
      }
      waiters.set(name, [...(waiters.get(name) ?? []), done]);
    },
    raise(name) {
      // Several waiters of one name are served last in, first out, by the SDK as well as by the host.
      const waiter = waiters.get(name)?.pop();
      if (waiter === undefined) buffered.set(name, kept(name) + 1);
      else waiter();
    },
  };
}

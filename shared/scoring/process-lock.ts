import { lifeAddress, showLife, untilOver, type LifeSocket } from './life-socket.ts';

/**
 * Locks of several processes on one machine, each a socket file in a folder that exists: the kernel frees the lock of a process
 * that dies. When the lock of a dead process is taken by two at the same moment, both may get it: what they do must stand that.
 */
export interface ProcessLocks {
  /** Waits for the lock; `waiting` is called before each wait. */
  hold<T>(name: string, run: () => Promise<T>, waiting: () => void): Promise<T>;
  /** Runs only when nobody has the lock. */
  holdIfFree(name: string, run: () => Promise<void>): Promise<void>;
}

/** `at` gives the path of a lock's file. Names are unique on the machine. */
export function processLocks(at: (name: string) => string): ProcessLocks {
  const addressOf = (name: string): string => lifeAddress(at(name), name);

  async function whileHeld<T>(lock: LifeSocket, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } finally {
      await lock.end();
    }
  }

  return {
    async hold(name, run, waiting) {
      const address = addressOf(name);
      for (;;) {
        const lock = await showLife(address);
        if (lock) return whileHeld(lock, run);
        waiting();
        await untilOver(address);
      }
    },
    async holdIfFree(name, run) {
      const lock = await showLife(addressOf(name));
      if (lock) await whileHeld(lock, run);
    },
  };
}

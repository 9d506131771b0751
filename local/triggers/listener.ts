/** Something that fires functions until it is stopped. */
export interface Listener {
  /** Takes on nothing more; resolves when what runs has ended, or its grace is over. */
  stop(): Promise<void>;
}

/** How long a stop waits for functions that still run. */
export const graceMs = 5000;

/** Waits for all of them, but not longer than the grace. */
export async function settleWithin(running: Iterable<Promise<unknown>>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.allSettled(running), over]);
  clearTimeout(timer);
}

/** A sleep that can be cut short. */
export interface Nap {
  sleep(ms: number): Promise<void>;
  /** Ends the present sleep, or else the next one at once. */
  wake(): void;
}

export function createNap(): Nap {
  let woken = false;
  let end: (() => void) | undefined;
  return {
    async sleep(ms) {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      end = undefined;
      woken = false;
    },
    wake() {
      woken = true;
      end?.();
    },
  };
}

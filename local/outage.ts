import type { Log } from './log.ts';
import { reasonOf } from './reason.ts';

/** Tells of storage that cannot be reached: one line when it begins, one when it is over. */
export interface Outage {
  begin(error: unknown): void;
  end(): void;
}

/** `what` is the subject of the line: "The queue 'orders' (function 'take')". */
export function createOutage(what: string, log: Log): Outage {
  let lasts = false;
  return {
    begin(error) {
      if (lasts) return;
      lasts = true;
      log.warn(`${what} cannot be reached; this is tried until it can: ${reasonOf(error)}`);
    },
    end() {
      if (!lasts) return;
      lasts = false;
      log.info(`${what} can be reached again.`);
    },
  };
}

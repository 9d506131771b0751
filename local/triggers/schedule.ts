import { parseTimeSpan } from '../time-span.ts';
import { parseNcrontab } from './ncrontab.ts';

/** When a timer fires. */
export interface Schedule {
  /** The first occurrence after this time; undefined when there is none. */
  next(after: Date): Date | undefined;
  readonly adjustForDST: boolean;
  /** More than once a minute: its occurrences are not written down. */
  isFrequent(now: Date): boolean;
}

/** An NCRONTAB expression in the machine's time zone, or a TimeSpan. Throws with the real host's text on any other. */
export function parseSchedule(text: string): Schedule {
  const cron = parseNcrontab(text);
  if (cron !== undefined) {
    const next = (after: Date): Date | undefined => cron.nextRun(after) ?? undefined;
    return {
      next,
      adjustForDST: true,
      isFrequent(now) {
        const first = next(now);
        const second = first === undefined ? undefined : next(first);
        return second !== undefined && second.getTime() < now.getTime() + 60_000;
      },
    };
  }
  const ms = parseTimeSpan(text);
  if (ms === undefined || ms === 0) {
    throw new Error(`the schedule "${text}" was not recognized as a valid cron expression or timespan string.`);
  }
  return {
    next: (after) => new Date(after.getTime() + ms),
    adjustForDST: false,
    isFrequent: () => ms < 60_000,
  };
}

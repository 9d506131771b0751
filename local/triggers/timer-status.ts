import type { ContainerClient } from '@azure/storage-blob';
import { z } from 'zod';
import type { Log } from '../log.ts';
import { isGone } from '../storage-accounts.ts';
import { reasonOf } from '../reason.ts';
import type { Schedule } from './schedule.ts';

/** What is known of a timer's occurrences; undefined stands for "never". */
export interface TimerStatus {
  readonly last: Date | undefined;
  readonly next: Date | undefined;
  readonly lastUpdated: Date | undefined;
}

/** .NET's default DateTime: what the SDK writes for "never" (and its greatest one for a `Next` that never comes). */
const never = '0001-01-01T00:00:00';
const endOfTime = '9999-12-31T23:59:59.9999999';

/** The names as the real host stores and sends them. */
export function statusJson({ last, next, lastUpdated }: TimerStatus): object {
  const timeOf = (date: Date | undefined, otherwise: string): string =>
    date === undefined ? otherwise : localTime(date);
  return { Last: timeOf(last, never), Next: timeOf(next, endOfTime), LastUpdated: timeOf(lastUpdated, never) };
}

/** A local time with its offset, as .NET writes it. */
function localTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const digits = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  const zone = `${offset < 0 ? '-' : '+'}${digits(Math.abs(offset) / 60)}:${digits(Math.abs(offset) % 60)}`;
  return new Date(date.getTime() + offset * 60_000).toISOString().replace('Z', zone);
}

const time = z.string().transform((text, context): Date | undefined => {
  if (text.startsWith('0001-') || text.startsWith('9999-')) return undefined;
  const date = new Date(text);
  if (!Number.isNaN(date.getTime())) return date;
  context.addIssue({ code: 'custom', message: `"${text}" is no time` });
  return z.NEVER;
});
const stored = z
  .object({ Last: time, Next: time, LastUpdated: time })
  .transform(({ Last, Next, LastUpdated }): TimerStatus => ({ last: Last, next: Next, lastUpdated: LastUpdated }));

/** Keeps the status of one timer in storage, so that an occurrence missed while no host ran is noticed. */
export interface TimerMonitor {
  /** Undefined when nothing usable was written yet. Rejects when storage cannot be reached. */
  read(): Promise<TimerStatus | undefined>;
  write(status: TimerStatus): Promise<void>;
}

/** At `timers/<hostId>/Host.Functions.<name>/status`, as StorageScheduleMonitor does. */
export function createTimerMonitor(
  container: ContainerClient,
  hostId: string,
  functionName: string,
  log: Log,
): TimerMonitor {
  const blob = container.getBlockBlobClient(`timers/${hostId}/Host.Functions.${functionName}/status`);
  return {
    async read() {
      let text: string;
      try {
        text = (await blob.downloadToBuffer()).toString('utf8');
      } catch (error) {
        if (isGone(error)) return undefined;
        throw error;
      }
      try {
        return stored.parse(JSON.parse(text));
      } catch (error) {
        log.warn(`The status of the timer '${functionName}' (${blob.name}) is unreadable: ${reasonOf(error)}`);
        return undefined;
      }
    },
    async write(status) {
      await container.createIfNotExists();
      await blob.uploadData(Buffer.from(JSON.stringify(statusJson(status))));
    },
  };
}

/**
 * The status to go on with after a start (ScheduleMonitor.CheckPastDueAsync): a first one, the stored one, or a new one
 * when the schedule was changed meanwhile. `changed` says that it is to be written.
 */
export function resumeStatus(
  known: TimerStatus | undefined,
  schedule: Schedule,
  now: Date,
): { status: TimerStatus; changed: boolean; isPastDue: boolean } {
  if (known === undefined) {
    const status = { last: undefined, next: schedule.next(now), lastUpdated: now };
    return { status, changed: true, isPastDue: false };
  }
  const base = known.last ?? known.lastUpdated ?? now;
  let next = schedule.next(base);
  if (next?.getTime() === known.next?.getTime()) {
    return { status: known, changed: false, isPastDue: next !== undefined && now > next };
  }
  let lastUpdated = base;
  if (next !== undefined && now > next) {
    next = schedule.next(now);
    lastUpdated = now;
  }
  return { status: { last: undefined, next, lastUpdated }, changed: true, isPastDue: false };
}

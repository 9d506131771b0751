import { startLongTimer } from '../durable/long-timer.ts';
import type { RegisteredFunction } from '../functions.ts';
import type { Invoke } from '../invoke.ts';
import type { Log } from '../log.ts';
import { expandWholeSetting } from '../setting-names.ts';
import { createOutage } from '../outage.ts';
import { reasonOf } from '../reason.ts';
import { createBackoff } from './backoff.ts';
import { createNap, graceMs, settleWithin, type Listener } from './listener.ts';
import { invokeWithRetries } from './retry.ts';
import { parseSchedule, type Schedule } from './schedule.ts';
import { resumeStatus, statusJson, type TimerMonitor, type TimerStatus } from './timer-status.ts';
import { toOffsetTime } from './trigger-metadata.ts';

/** A timer trigger whose schedule is understood. */
export interface TimerTrigger {
  readonly kind: 'timer';
  readonly fn: RegisteredFunction;
  readonly schedule: Schedule;
  readonly runOnStartup: boolean;
  readonly useMonitor: boolean;
}

/** Throws when the schedule is missing or none. */
export function indexTimerTrigger(fn: RegisteredFunction, env: NodeJS.ProcessEnv): TimerTrigger {
  const { schedule: text = '', runOnStartup = false, useMonitor = true } = fn.trigger;
  const schedule = parseSchedule(expandWholeSetting(text, env));
  return { kind: 'timer', fn, schedule, runOnStartup, useMonitor: useMonitor && !schedule.isFrequent(new Date()) };
}

export interface TimerTriggerOptions {
  /** Undefined where the timer's status is not kept. */
  readonly monitor: TimerMonitor | undefined;
  readonly invoke: Invoke;
  readonly log: Log;
}

type Occasion = 'scheduled' | 'pastDue' | 'startup';

/**
 * Fires the function at its times, one run at a time, as the SDK's TimerListener does. An occurrence that was missed
 * while no host ran is made up for once, at the start.
 */
export function startTimerTrigger(trigger: TimerTrigger, { monitor, invoke, log }: TimerTriggerOptions): Listener {
  const { fn, schedule } = trigger;
  const nap = createNap();
  const outage = createOutage(`The status of the timer '${fn.name}'`, log);
  let status: TimerStatus = { last: undefined, next: schedule.next(new Date()), lastUpdated: undefined };
  let stopped = false;
  let cancel: (() => void) | undefined;

  /** Goes on without a status only when there is none, not when it cannot be read: a missed occurrence would be lost. */
  async function resume(source: TimerMonitor): Promise<boolean> {
    const backoff = createBackoff(200, 10_000);
    while (!stopped) {
      try {
        const resumed = resumeStatus(await source.read(), schedule, new Date());
        if (resumed.changed) await source.write(resumed.status);
        status = resumed.status;
        outage.end();
        return resumed.isPastDue;
      } catch (error) {
        outage.begin(error);
        await nap.sleep(backoff.next());
      }
    }
    return false;
  }

  async function run(occasion: Occasion): Promise<void> {
    const invokedAt = new Date();
    const input = {
      Schedule: { AdjustForDST: schedule.adjustForDST },
      ScheduleStatus: monitor === undefined ? null : statusJson(status),
      IsPastDue: occasion === 'pastDue',
    };
    const reason = `Timer fired at ${toOffsetTime(invokedAt)}`;
    const sleep = async (ms: number): Promise<boolean> => {
      await nap.sleep(ms);
      return !stopped;
    };
    try {
      await invokeWithRetries(fn, { data: { json: JSON.stringify(input) }, reason }, invoke, log, sleep);
    } catch (error) {
      log.error(`The function '${fn.name}' failed.`, error);
    }
    // A timer that fires early must not fire a second time for the same occurrence.
    const early = occasion === 'scheduled' && status.next !== undefined && status.next > invokedAt;
    const last = early && status.next !== undefined ? status.next : invokedAt;
    status = { last, next: schedule.next(last), lastUpdated: last };
    try {
      await monitor?.write(status);
    } catch (error) {
      log.warn(`The status of the timer '${fn.name}' was not written: ${reasonOf(error)}`);
    }
  }

  /** Resolves at the next occurrence, or when the host stops; never when there is none. */
  function untilNext(): Promise<void> {
    return new Promise((resolve) => {
      const stopWaiting = status.next === undefined ? undefined : startLongTimer(status.next.getTime(), resolve);
      cancel = () => {
        stopWaiting?.();
        resolve();
      };
    });
  }

  async function loop(): Promise<void> {
    const isPastDue = monitor === undefined ? false : await resume(monitor);
    if (isPastDue) log.info(`The function '${fn.name}' is past due on its schedule. Executing now.`);
    if (!stopped && (isPastDue || trigger.runOnStartup)) await run(isPastDue ? 'pastDue' : 'startup');
    while (!stopped) {
      await untilNext();
      if (!stopped) await run('scheduled');
    }
  }

  const looping = loop();
  return {
    async stop() {
      stopped = true;
      nap.wake();
      cancel?.();
      await settleWithin([looping], graceMs);
    },
  };
}

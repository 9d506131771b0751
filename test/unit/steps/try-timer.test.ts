import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimedOut } from '../../../shared/scoring/engine.ts';
import { LOOK_MS } from '../../../shared/steps/stop-watch.ts';
import { tryTimer } from '../../../shared/steps/try-timer.ts';
import { busyTimes } from '../../../shared/storage/busy-times.ts';
import { StorageFault } from '../../../shared/storage/ports.ts';
import { withFaults } from '../../support/faulty-blobs.ts';
import { jobWorld, numbered, planned } from '../../support/job-world.ts';

const SECOND = 1000;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A try of 30 s that may take 10 minutes with waits. */
function started(longestTryMs = 600 * SECOND) {
  const waits = busyTimes({ began: () => undefined, ended: () => undefined });
  const stop = new AbortController();
  const timer = tryTimer({ storageWaits: waits, longestTryMs }, 30, stop);
  return {
    stop,
    timer,
    pass: (seconds: number) => void vi.advanceTimersByTime(seconds * SECOND),
    busyFor(seconds: number) {
      const end = waits.begin();
      vi.advanceTimersByTime(seconds * SECOND);
      end();
    },
  };
}

describe('a try', () => {
  it('is stopped when its timeout is over', () => {
    const { stop, pass } = started();
    pass(29);
    expect(stop.signal.aborted).toBe(false);
    pass(1);
    expect(stop.signal.reason).toEqual(new TimedOut(30));
  });

  it('is not stopped once it has ended', () => {
    const { stop, timer, pass } = started();
    timer.end();
    pass(60);
    expect(stop.signal.aborted).toBe(false);
  });

  it('gets the time back in which storage was too busy for it, however often', () => {
    const { stop, pass, busyFor } = started();
    pass(10);
    busyFor(100);
    pass(10);
    busyFor(50);
    pass(9);
    expect(stop.signal.aborted).toBe(false);
    pass(1);
    expect(stop.signal.reason).toEqual(new TimedOut(30));
  });

  it('ends as a fault of storage when that stays busy longer than the function may take', () => {
    const { stop, pass, busyFor } = started(120 * SECOND);
    pass(10);
    busyFor(109);
    expect(stop.signal.aborted).toBe(false);
    busyFor(1);
    expect(stop.signal.reason).toBeInstanceOf(StorageFault);
  });

  it('has its own timeout where that alone is longer', () => {
    const { stop, pass } = started(10 * SECOND);
    pass(29);
    expect(stop.signal.aborted).toBe(false);
    pass(1);
    expect(stop.signal.reason).toEqual(new TimedOut(30));
  });
});

it('a read that waits for storage ends when the job is told to stop', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const reading = Promise.withResolvers<void>();
  let stalls = false;
  const world = jobWorld({
    faulty: (blobs) => {
      const stalling = withFaults(blobs, [{ operation: 'read', times: Infinity, fault: { kind: 'stall' } }]);
      return {
        ...blobs,
        read(ref, options) {
          if (!stalls) return blobs.read(ref, options);
          reading.resolve();
          return stalling.read(ref, options);
        },
      };
    },
  });
  await world.put(numbered(2));
  await world.accept('job', { timeoutSeconds: 3600 });
  await planned(world, 'job');
  stalls = true;
  const slice = world.slice('job', 0);
  await reading.promise;
  const reason = { code: 'Canceled', message: 'The job was canceled.' };
  await world.deps.jobs.stop('job', reason);
  vi.advanceTimersByTime(LOOK_MS);
  expect(await slice).toEqual({ ok: false, done: false, position: 0, receipt: null, reason });
});

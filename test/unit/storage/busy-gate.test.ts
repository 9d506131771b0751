import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { busyGate, isBusy } from '../../../shared/storage/busy-gate.ts';
import { busyTimes } from '../../../shared/storage/busy-times.ts';
import { StorageFault } from '../../../shared/storage/ports.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const turnedAway = (retryAfterMs?: number): StorageFault =>
  new StorageFault('read a', 503, 'ServerBusy', 'req-1', { retryAfterMs });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A gate before storage that is busy until the test says otherwise; each call takes storage 10 ms. */
function closed(patienceMs = 10 * MINUTE) {
  const storage = { busy: true, retryAfterMs: undefined as number | undefined, calls: [] as number[], now: 0, most: 0 };
  const said: string[] = [];
  const times = busyTimes({ began: () => said.push('began'), ended: (seconds) => said.push(`${seconds} s`) });
  const pass = busyGate({ patienceMs, begin: times.begin });
  const started = Date.now();
  return {
    storage,
    times,
    said,
    started,
    call: (signal?: AbortSignal) =>
      pass({
        signal,
        isTurnedAway: isBusy,
        async send() {
          storage.calls.push(Date.now() - started);
          storage.most = Math.max(storage.most, ++storage.now);
          await new Promise((resolve) => setTimeout(resolve, 10));
          storage.now--;
          if (storage.busy) throw turnedAway(storage.retryAfterMs);
          return 'taken';
        },
      }),
  };
}

/** How a call ended, once it has. */
function watched<T>(call: Promise<T>): { readonly ended: { answer?: T; fault?: unknown } } {
  const ended: { answer?: T; fault?: unknown } = {};
  call.then(
    (answer) => (ended.answer = answer),
    (fault: unknown) => (ended.fault = fault),
  );
  return { ended };
}

describe('a call that storage turns away', () => {
  it('waits for minutes, asks more and more rarely, and is taken in the end', async () => {
    const { storage, call, times, said, started } = closed();
    const { ended } = watched(call());
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(ended).toEqual({});
    expect(storage.calls.length).toBeLessThan(30);
    const gaps = storage.calls.map((at, index) => at - (storage.calls[index - 1] ?? 0)).slice(1);
    expect(gaps[0]).toBeLessThan(250);
    expect(Math.max(...gaps)).toBeGreaterThan(14 * SECOND);
    expect(Math.max(...gaps)).toBeLessThan(31 * SECOND);
    storage.busy = false;
    await vi.advanceTimersByTimeAsync(31 * SECOND);
    expect(ended).toEqual({ answer: 'taken' });
    // As long as it waited, and not a moment more.
    const waited = times.since(started);
    expect(waited).toBeGreaterThan(5 * MINUTE);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(times.since(started)).toBe(waited);
    expect(times.since(started + 4 * MINUTE)).toBe(waited - 4 * MINUTE + 10);
    expect(said).toEqual(['began', `${Math.round(waited / SECOND)} s`]);
  });

  it('is not sent before the time that storage asks for', async () => {
    const { storage, call } = closed();
    storage.retryAfterMs = 40 * SECOND;
    watched(call());
    await vi.advanceTimersByTimeAsync(40 * SECOND);
    expect(storage.calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(11 * SECOND);
    expect(storage.calls).toHaveLength(2);
  });

  it('fails with what storage said when the patience is over', async () => {
    const { call, times, started } = closed(MINUTE);
    const { ended } = watched(call());
    await vi.advanceTimersByTimeAsync(MINUTE + 20);
    expect(ended.fault).toMatchObject({ status: 503, code: 'ServerBusy', requestId: 'req-1' });
    expect(times.since(started)).toBeLessThanOrEqual(MINUTE + 20);
  });

  it('gets its turn when the timer for it goes off before the clock says so', async () => {
    const { storage, call } = closed();
    const calls = Promise.all([call(), call(), call()]);
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    storage.busy = false;
    vi.setSystemTime(Date.now() - 200);
    await vi.advanceTimersByTimeAsync(31 * SECOND);
    expect(await calls).toEqual(Array(3).fill('taken'));
  });

  it('ends at once, with its reason, when its signal aborts', async () => {
    const { storage, call } = closed();
    const stop = new AbortController();
    const calls = [watched(call(stop.signal)), watched(call(stop.signal))];
    await vi.advanceTimersByTimeAsync(2 * SECOND);
    const asked = storage.calls.length;
    stop.abort(new Error('cancelled'));
    await vi.advanceTimersByTimeAsync(0);
    expect(calls.map(({ ended }) => ended.fault)).toEqual([stop.signal.reason, stop.signal.reason]);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(storage.calls.length).toBe(asked);
    storage.busy = false;
    expect(await Promise.all([call(), vi.advanceTimersByTimeAsync(MINUTE)])).toEqual(['taken', expect.anything()]);
  });
});

describe('many calls', () => {
  it('are sent as they come while storage takes them', async () => {
    const { storage, call } = closed();
    storage.busy = false;
    const calls = Promise.all(Array.from({ length: 30 }, () => call()));
    await vi.advanceTimersByTimeAsync(20);
    expect(await calls).toHaveLength(30);
    expect(storage.most).toBe(30);
  });

  it('go on beside one that is turned away, fewer at once', async () => {
    const { storage, call } = closed();
    storage.retryAfterMs = 20 * SECOND;
    const { ended } = watched(call());
    await vi.advanceTimersByTimeAsync(20);
    storage.busy = false;
    const others = Promise.all(Array.from({ length: 30 }, () => call()));
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(await others).toHaveLength(30);
    expect(storage.most).toBeLessThan(30);
    expect(ended).toEqual({});
    await vi.advanceTimersByTimeAsync(25 * SECOND);
    expect(ended).toEqual({ answer: 'taken' });
  });

  it('become one at a time while storage is busy, and more with every one that it takes', async () => {
    const { storage, call } = closed();
    const calls = Promise.all(Array.from({ length: 30 }, () => call()));
    await vi.advanceTimersByTimeAsync(SECOND);
    storage.most = 0;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(storage.most).toBe(1);
    storage.busy = false;
    await vi.advanceTimersByTimeAsync(31 * SECOND);
    expect(await calls).toEqual(Array(30).fill('taken'));
    expect(storage.most).toBeGreaterThan(4);
    expect(storage.most).toBeLessThan(30);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import type { Blobs } from '../../shared/storage/ports.ts';
import { type FaultPlan, withFaults } from '../support/faulty-blobs.ts';
import { gather, textOf } from '../support/gather.ts';

const ref = (name: string) => ({ container: 'c', name });
const bytes = new TextEncoder().encode('0123456789');

describe('faults on purpose', () => {
  let inner: Blobs;
  beforeEach(async () => {
    inner = memoryBlobs();
    await inner.ensureContainer('c');
  });
  const faulty = (...plans: FaultPlan[]) => withFaults(inner, plans);

  it('changes nothing without a plan', async () => {
    const blobs = faulty();
    await blobs.write(ref('a'), bytes);
    expect(await blobs.head(ref('a'))).toEqual(await inner.head(ref('a')));
    expect(await gather(blobs.list('c'))).toEqual(await gather(inner.list('c')));
    expect([blobs.calls('write'), blobs.calls('head'), blobs.calls('read')]).toEqual([1, 1, 0]);
  });

  it('refuses the nth matching calls, and does nothing then', async () => {
    const fault = { kind: 'refuse', status: 503, code: 'ServerBusy' } as const;
    const blobs = faulty({ operation: 'write', name: /^a/, nth: 2, times: 2, fault });
    const written: string[] = [];
    for (const name of ['a1', 'b1', 'a2', 'a3', 'a4']) {
      await blobs.write(ref(name), bytes).then(
        () => written.push(name),
        (error: unknown) => expect(error).toMatchObject({ status: 503, code: 'ServerBusy' }),
      );
    }
    expect(written).toEqual(['a1', 'b1', 'a4']);
    expect((await gather(inner.list('c'))).map(({ name }) => name)).toEqual(['a1', 'a4', 'b1']);
    expect(blobs.unfired()).toEqual([]);
  });

  it('loses an answer after the work is done', async () => {
    const blobs = faulty({ operation: 'write', fault: { kind: 'loseAnswer' } });
    await expect(blobs.write(ref('a'), bytes, { ifNoneMatch: '*' })).rejects.toMatchObject({ status: 0 });
    expect(await inner.head(ref('a'))).toMatchObject({ length: 10 });
  });

  it('stalls until the signal aborts', async () => {
    const blobs = faulty(
      { operation: 'list', fault: { kind: 'stall' } },
      { operation: 'read', fault: { kind: 'stall' } },
    );
    const stop = new AbortController();
    const calls = [gather(blobs.list('c', { signal: stop.signal })), blobs.read(ref('a'), { signal: stop.signal })];
    const ended = Promise.allSettled(calls);
    stop.abort(new Error('enough'));
    const rejected = { status: 'rejected', reason: stop.signal.reason as unknown };
    expect(await ended).toEqual([rejected, rejected]);
  });

  it('breaks a body after so many bytes', async () => {
    await inner.write(ref('a'), bytes);
    const blobs = faulty({ operation: 'read', fault: { kind: 'breakBody', afterBytes: 4 } });
    const found = await blobs.read(ref('a'));
    let received = '';
    const reading = async () => {
      for await (const chunk of found?.body ?? []) received += Buffer.from(chunk).toString();
    };
    await expect(reading()).rejects.toMatchObject({ status: 0, code: 'ECONNRESET' });
    expect(received).toBe('0123');
    const whole = await blobs.read(ref('a'));
    expect(whole && (await textOf(whole.body))).toBe('0123456789');
  });

  it('names the plans that never came about', async () => {
    const plan: FaultPlan = { operation: 'remove', nth: 2, fault: { kind: 'loseAnswer' } };
    const blobs = faulty(plan);
    await blobs.remove(ref('a'));
    expect(blobs.unfired()).toEqual([plan]);
  });
});

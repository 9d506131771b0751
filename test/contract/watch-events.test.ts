import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { azureTables } from '../../shared/storage/azure-tables.ts';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import type { Table } from '../../shared/storage/ports.ts';
import { watchEvents } from '../../shared/storage/registry/watch-events.ts';
import { watchIndex } from '../../shared/storage/registry/watches.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { withEmptyPages } from '../support/empty-pages.ts';

const DAY_MS = 24 * 3600 * 1000;

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

let drawn = 0;
const fresh = () => ({ endpoint: 'Heart', deployment: 'blue', datastore: 'store', prefix: `in${(drawn += 1)}/é #?/` });
const version = (n: number) => ({ blob: `in/Ü #?/${n}.csv`, etag: `"0x${n}"` });

describe.each<[string, () => Table]>([
  ['memory', () => memoryTables()('watches')],
  ['pages that are empty', () => withEmptyPages(memoryTables()('watches'))],
  ['Azure tables on Azurite', () => azureTables(azurite)('watches')],
])('watched folders: %s', (_name, make) => {
  const world = () => {
    const clock = { time: Date.parse('2026-02-03T04:05:06Z'), now: () => clock.time };
    const table = make();
    return { clock, table, events: watchEvents(table, clock), folder: fresh() };
  };

  it('make a version wait once, and count up to a number', async () => {
    const { events, folder } = world();
    expect([await events.count(folder, 5), await events.waiting(folder, 5)]).toEqual([0, []]);
    for (const n of [1, 2, 3, 1]) expect(await events.add(folder, version(n))).toBe(true);
    expect([await events.count(folder, 2), await events.count(folder, 5)]).toEqual([2, 3]);
    const waiting = await events.waiting(folder, 5);
    expect(waiting.map(({ etag }) => etag).sort()).toEqual(['"0x1"', '"0x2"', '"0x3"']);
    expect(await events.waiting(folder, 2)).toHaveLength(2);
    expect(await events.count({ ...folder, deployment: 'green' }, 5)).toBe(0);
  });

  it('have seen what was settled, for 30 days at least, and forget it after 60', async () => {
    const { clock, events, folder } = world();
    await events.add(folder, version(1));
    await events.add(folder, version(2));
    await events.settle(folder, [version(1)]);
    await events.settle(folder, [version(1)]);
    expect(await events.waiting(folder, 5)).toEqual([version(2)]);
    clock.time += 30 * DAY_MS;
    await events.forget(folder);
    expect(await events.add(folder, version(1))).toBe(false);
    clock.time += 31 * DAY_MS;
    await events.forget(folder);
    expect(await events.add(folder, version(1))).toBe(true);
  });

  it('lose a repeat that was let in while the first was settled', async () => {
    const { clock, events, folder, table } = world();
    // A delivery that looked before the settling and writes after it.
    const late = watchEvents({ ...table, get: async () => undefined }, clock);
    await events.settle(folder, [version(1)]);
    expect(await late.add(folder, version(1))).toBe(true);
    await events.add(folder, version(2));
    expect(await events.waiting(folder, 5)).toEqual([version(2)]);
    expect(await events.count(folder, 5)).toBe(1);
  });

  it('are held by one at a time; who was silent for a minute loses the hold and changes nothing any more', async () => {
    const { clock, events, folder } = world();
    const tries = await Promise.all(Array.from({ length: 4 }, () => events.hold(folder)));
    const [first, ...others] = tries.filter((hold) => hold !== undefined);
    if (!first) throw new Error('nobody got the hold');
    expect([first.job, others]).toEqual([null, []]);
    const journaled = await events.journal(folder, first, 'job-1');
    clock.time += 59_000;
    expect(await events.hold(folder)).toBeUndefined();
    clock.time += 2_000;
    const second = await events.hold(folder);
    expect(second?.job).toBe('job-1');
    if (!journaled || !second) throw new Error('both had the hold');
    expect(await events.journal(folder, journaled, 'job-2')).toBeUndefined();
    await events.release(folder, journaled);
    expect(await events.hold(folder)).toBeUndefined();
    await events.release(folder, second);
    expect((await events.hold(folder))?.job).toBe(null);
  });

  it('are found by container and path', async () => {
    const watches = watchIndex(make());
    const container = `c${(drawn += 1)}`;
    const [one, other] = [fresh(), { ...fresh(), prefix: 'other/' }];
    expect(await watches.candidates(container, 'other/a')).toEqual([]);
    for (const folder of [one, other, one]) await watches.add(container, folder);
    expect(await watches.candidates(container, `${one.prefix}a.csv`)).toEqual([one]);
    expect(await watches.candidates(container, 'othera')).toEqual([]);
    expect(await watches.candidates('elsewhere', 'other/a')).toEqual([]);
    await watches.remove(container, one);
    await watches.remove(container, one);
    expect(await watches.candidates(container, `${one.prefix}a.csv`)).toEqual([]);
    expect(await watches.candidates(container, 'other/a')).toEqual([other]);
  });
});

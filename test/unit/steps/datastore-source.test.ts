import { beforeEach, describe, expect, it } from 'vitest';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../../shared/storage/memory-tables.ts';
import { resourceRegistry } from '../../../shared/storage/registry/resources.ts';
import { datastoreSource, uriRules } from '../../../shared/steps/datastore-source.ts';

const NOW = '2026-02-03T04:05:06.000Z';
const endpoint = 'https://acct.blob.core.windows.net';
const blobs = memoryBlobs();
const store = (name: string, container: string) => ({
  address: { name, account: 'acct', container, endpoint },
  blobs,
});
const FIRST = store('First', 'one');
const stored = { description: null, tags: {}, properties: {}, createdAt: NOW, createdBy: 'o', modifiedAt: NOW };

/** One registry that two instances of the app see, each with a clock of its own. */
function twoInstances(read: () => void = () => undefined) {
  const table = memoryTables()('registry');
  const counted: typeof table = { ...table, query: (...query) => (read(), table.query(...query)) };
  const registry = resourceRegistry({ table: counted, blobs: memoryBlobs() });
  const instance = () => {
    const clock = { time: 0, now: () => clock.time };
    const source = datastoreSource({
      configured: [FIRST],
      registry,
      open: (name, { account, container }) => (account === 'acct' ? store(name, container) : undefined),
      clock,
    });
    return { clock, source };
  };
  const make = (name: string, container: string, account = 'acct') =>
    registry.datastores.create({ name, ...stored, place: { account, container } });
  return { registry, make, here: instance(), there: instance() };
}

let world: ReturnType<typeof twoInstances>;

beforeEach(() => {
  world = twoInstances();
});

const names = async ({ source }: { source: typeof world.here.source }) =>
  (await source.list()).map(({ address }) => `${address.name}=${address.container}`);

describe('the datastores of a workspace', () => {
  it('are those of the settings when no others were made', async () => {
    expect(await world.here.source.list()).toEqual([FIRST]);
    expect(world.here.source.default).toBe(FIRST);
  });

  it('cannot be none', () => {
    const { registry, here } = world;
    expect(() => datastoreSource({ configured: [], registry, open: () => undefined, clock: here.clock })).toThrow(
      'no datastore is configured',
    );
  });

  it('show what this instance made at once, and what another made within five seconds', async () => {
    const { make, here, there } = world;
    expect([await names(here), await names(there)]).toEqual([['First=one'], ['First=one']]);
    await make('Second', 'two');
    here.source.changed();
    expect([await names(here), await names(there)]).toEqual([['First=one', 'Second=two'], ['First=one']]);
    there.clock.time = 5_000;
    expect(await names(there)).toEqual(['First=one', 'Second=two']);
  });

  it('are found by name in any case, also one that another instance has just made', async () => {
    const { make, there } = world;
    expect(await there.source.find('second')).toBeUndefined();
    await make('Second', 'two');
    expect(await there.source.find('SECOND')).toEqual(store('Second', 'two'));
    expect(await there.source.find('FIRST')).toBe(FIRST);
  });

  it('are what the settings say, whatever was written under that name', async () => {
    const { make, registry, here } = world;
    await make('FIRST', 'other');
    await registry.datastores.create({ name: 'noted', ...stored });
    expect(await here.source.list()).toEqual([FIRST]);
    expect(await here.source.find('first')).toBe(FIRST);
  });

  it('leave out those whose account the settings do not name any more', async () => {
    const { make, here } = world;
    await make('gone', 'two', 'elsewhere');
    expect([await names(here), await here.source.find('gone')]).toEqual([['First=one'], undefined]);
  });

  it('are read once in five seconds, however often they are asked for', async () => {
    let reads = 0;
    const { here, make } = twoInstances(() => reads++);
    await make('Second', 'two');
    await Promise.all(Array.from({ length: 20 }, () => here.source.list()));
    await here.source.find('second');
    await here.source.find('first');
    expect(reads).toBe(1);
  });

  it('are read again after a fault of storage', async () => {
    let faults = 1;
    const { here } = twoInstances(() => {
      if (faults-- > 0) throw new Error('storage is away');
    });
    await expect(here.source.list()).rejects.toThrow('storage is away');
    expect(await here.source.list()).toEqual([FIRST]);
  });

  it('are where a URI may lead', async () => {
    const { make, here } = world;
    await make('Second', 'two');
    const workspace = { subscriptionId: 's', resourceGroup: 'r', workspace: 'w' };
    expect(await uriRules({ workspace, datastores: here.source })).toEqual({
      workspace,
      datastores: [FIRST.address, store('Second', 'two').address],
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { Watches } from '../../../shared/storage/registry/watches.ts';
import { removeDeployment, watchesOver, writeDeployment } from '../../../shared/steps/watched-deployments.ts';
import { numbered } from '../../support/job-world.ts';
import { watchWorld, type WatchWorld } from '../../support/watch-world.ts';

const NAME = ['heart', 'blue'] as const;

const watchersOf = async (world: WatchWorld, path: string): Promise<string[]> =>
  (await watchesOver(world.deps, 'store', path)).map(({ prefix }) => prefix);

/** The app's dependencies, but just before a row of the index is removed something else happens. */
function interrupted(world: WatchWorld, happen: () => Promise<unknown>) {
  const { registry, datastores } = world.deps;
  const watches: Watches = {
    ...registry.watches,
    async remove(container, folder) {
      await happen();
      await registry.watches.remove(container, folder);
    },
  };
  return { datastores, registry: { ...registry, watches } };
}

const watching = (prefix: string) => ({ 'batchpoint.watch': JSON.stringify({ prefix }) });

describe('the index of watches', () => {
  it('keeps the row of a watch that comes back while another writer removes it', async () => {
    const world = await watchWorld();
    await world.watch({ prefix: 'one' });
    const deps = interrupted(world, () => world.watch({ prefix: 'one' }));
    await writeDeployment(deps, NAME, (stored) => {
      if (!stored) throw new Error('the deployment is there');
      return { ...stored, properties: watching('two') };
    });
    expect(await watchersOf(world, 'one/a')).toEqual(['one/']);
    expect(await watchersOf(world, 'two/a')).toEqual([]);
  });

  it('keeps the row of a deployment that comes back while another removes it', async () => {
    const world = await watchWorld();
    await world.watch({ prefix: 'one' });
    expect(
      await removeDeployment(
        interrupted(world, () => world.watch({ prefix: 'one' })),
        NAME,
      ),
    ).toBe(true);
    expect(await watchersOf(world, 'one/a')).toEqual(['one/']);
  });

  it('has nothing of a deployment that is not there', async () => {
    const world = await watchWorld();
    expect(await removeDeployment(world.deps, NAME)).toBe(false);
    expect(await watchersOf(world, 'one/a')).toEqual([]);
  });
});

describe('an output below a watched folder', () => {
  it('fails its job when it is planned: it would start another', async () => {
    const world = await watchWorld();
    await world.watch({ prefix: 'out' }, 'green', 'iris');
    await world.put(numbered(2));
    await world.accept('j');
    expect(await world.run('j')).toMatchObject({
      state: 'failed',
      reason: {
        code: 'OutputWatched',
        message:
          "Deployment 'green' of endpoint 'iris' watches the output path: out/predictions.csv in datastore store. Give another path.",
      },
    });
  });

  it('is let be when the watch is for other files', async () => {
    const world = await watchWorld();
    await world.watch({ prefix: 'out', pattern: '*.parquet' });
    await world.put(numbered(2));
    await world.accept('j');
    expect(await world.run('j')).toMatchObject({ state: 'completed' });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { containerKey } from '../../../shared/domain/watch.ts';
import { recordBlobEvent } from '../../../shared/steps/record-blob-event.ts';
import { blobEvent } from '../../../shared/domain/blob-event.ts';
import { memoryQueues } from '../../../shared/storage/memory-queues.ts';
import { memoryTables } from '../../../shared/storage/memory-tables.ts';
import { watchEvents } from '../../../shared/storage/registry/watch-events.ts';
import { jobFiles } from '../../../shared/steps/job-files.ts';
import { WORKSPACE, deployHeart, errorOf, worldMaker, type World } from './api-world.ts';

const BLUE = `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`;

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await deployHeart(world);
});

const put = (properties: Record<string, string>, path = BLUE) =>
  world.call('PUT', path, { body: { properties: { model: { assetId: 'azureml:heart:1' }, properties } } });

const watching = (watch: unknown) => ({ 'batchpoint.watch': JSON.stringify(watch) });

/** Who would get a blob of this name. */
async function watchersOf(name: string): Promise<string[]> {
  const { deps, jobs, clock, systemBlobs } = world;
  const queues = memoryQueues(clock);
  await recordBlobEvent(
    {
      ...deps,
      jobs,
      events: watchEvents(memoryTables()('events'), clock),
      files: jobFiles(systemBlobs),
      queue: queues,
    },
    blobEvent(`https://acct.blob.core.windows.net/data/${name}`, '"1"'),
  );
  clock.time += 3_600_000;
  return queues.take('blob-flush').map((text) => {
    const { endpoint, deployment, prefix } = JSON.parse(text) as Record<string, string>;
    return `${endpoint}/${deployment} ${prefix}`;
  });
}

/** What the index alone says of a blob of this name. */
async function hintsOf(name: string): Promise<string[]> {
  const store = world.deps.datastores.default;
  const found = await world.deps.registry.watches.candidates(containerKey(store.address), name);
  return found.map(({ endpoint, deployment, prefix }) => `${endpoint}/${deployment} ${prefix}`);
}

describe('a deployment that watches', () => {
  it('is told of blobs from its creation on, and shows the property as it was sent', async () => {
    expect(await watchersOf('in/a.csv')).toEqual([]);
    const answer = await put(watching({ prefix: 'in' }));
    expect(answer).toMatchObject({ status: 200, body: { properties: { properties: watching({ prefix: 'in' }) } } });
    expect(await watchersOf('in/a.csv')).toEqual(['heart-ep/blue in/']);
    expect(await watchersOf('out/a.csv')).toEqual([]);
  });

  it('may watch another folder instead, by PUT and by PATCH, and none', async () => {
    await put(watching({ prefix: 'one' }));
    await put(watching({ prefix: 'two' }));
    expect([await hintsOf('one/a'), await watchersOf('two/a')]).toEqual([[], ['heart-ep/blue two/']]);
    await world.call('PATCH', BLUE, { body: { properties: { properties: watching({ prefix: 'three' }) } } });
    expect([await hintsOf('two/a'), await watchersOf('three/a')]).toEqual([[], ['heart-ep/blue three/']]);
    await world.call('PATCH', BLUE, { body: { properties: { description: 'as before' } } });
    expect(await watchersOf('three/a')).toEqual(['heart-ep/blue three/']);
    await put({});
    expect(await hintsOf('three/a')).toEqual([]);
  });

  it('is not told any more once it is deleted, and again when it is back', async () => {
    await put(watching({ prefix: 'in' }));
    await world.call('DELETE', BLUE);
    expect(await hintsOf('in/a')).toEqual([]);
    await put(watching({ prefix: 'in' }));
    expect(await watchersOf('in/a')).toEqual(['heart-ep/blue in/']);
  });

  it('is not told any more once its endpoint is deleted', async () => {
    await put(watching({ prefix: 'in' }));
    await put(watching({ prefix: 'in' }), BLUE.replace('blue', 'green'));
    expect((await watchersOf('in/a')).sort()).toEqual(['heart-ep/blue in/', 'heart-ep/green in/']);
    await world.call('DELETE', `${WORKSPACE}/batchEndpoints/heart-ep`);
    expect(await hintsOf('in/a')).toEqual([]);
  });

  it('is told whatever two writers of the deployment did at the same time', async () => {
    const watches = [{ prefix: 'one' }, { prefix: 'two' }, { prefix: 'one' }, undefined, { prefix: 'two' }];
    await Promise.all(watches.map((watch) => put(watch ? watching(watch) : {})));
    await put(watching({ prefix: 'one' }));
    expect(await watchersOf('one/a')).toEqual(['heart-ep/blue one/']);
    expect(await watchersOf('two/a')).toEqual([]);
  });

  it('of an index row that its document does not confirm is not told', async () => {
    const store = world.deps.datastores.default;
    const folder = { endpoint: 'heart-ep', deployment: 'blue', datastore: 'workspaceblobstore', prefix: 'stale/' };
    await world.deps.registry.watches.add(containerKey(store.address), folder);
    expect(await hintsOf('stale/a')).toEqual(['heart-ep/blue stale/']);
    expect(await watchersOf('stale/a')).toEqual([]);
  });
});

describe('a watch that cannot be', () => {
  it.each([
    [watching({ prefix: 'in', datastore: 'nowhere' }), "there is no datastore 'nowhere' in this workspace"],
    [{ 'batchpoint.watch': 'in/' }, 'must be JSON, such as {"prefix":"incoming/"}'],
  ])('is refused and changes nothing: %j', async (properties, reason) => {
    await put(watching({ prefix: 'in' }));
    const before = world.writes.length;
    const target = 'properties.properties.batchpoint.watch';
    const message = `${target}: ${reason}`;
    expect(errorOf(await put(properties))).toEqual({ status: 400, code: 'UserError', target, message });
    expect(errorOf(await world.call('PATCH', BLUE, { body: { properties: { properties } } }))).toMatchObject({
      message,
    });
    expect(world.writes.slice(before)).toEqual([]);
    expect(await watchersOf('in/a')).toEqual(['heart-ep/blue in/']);
  });

  it('of an invocation is refused: only deployments watch', async () => {
    const answer = await world.call('POST', '/endpoints/heart-ep/jobs', {
      body: {
        properties: {
          inputData: { in: { jobInputType: 'UriFolder', uri: 'azureml://datastores/workspaceblobstore/paths/in' } },
          properties: watching({ prefix: 'in' }),
        },
      },
    });
    expect(errorOf(answer)).toMatchObject({ status: 400, target: 'properties.properties.batchpoint.watch' });
  });
});

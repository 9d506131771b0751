import { describe, expect, it } from 'vitest';
import { folderKey } from '../../../shared/domain/watch.ts';
import { watchWorld, type WatchWorld } from '../../support/watch-world.ts';

const WATCH = { prefix: 'in' };
const folder = { endpoint: 'heart', deployment: 'blue', datastore: 'store', prefix: 'in/' };

const names = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `f${String(n).padStart(4, '0')}.csv`);

/** Uploads so many files of one row and answers their events and the rows they must give. */
async function burst(world: WatchWorld, count: number, folder = 'in') {
  const events = [];
  for (const name of names(count)) events.push(await world.upload(`${folder}/${name}`, `v-${name}`));
  return { events, rows: names(count).map((name) => `${name},0,v-${name}`) };
}

describe('watched blobs', () => {
  it('make no job when none came', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    await world.settle();
    expect(world.started).toEqual([]);
  });

  it('make a job of one blob, once its wait is over', async () => {
    const world = await watchWorld();
    await world.watch({ ...WATCH, maxWaitSeconds: 20 });
    const { events, rows } = await burst(world, 1);
    await world.tell(...events);
    await world.serve();
    world.clock.time += 19_000;
    await world.serve();
    expect(world.started).toEqual([]);
    world.clock.time += 1_000;
    await world.serve();
    expect(world.started).toHaveLength(1);
    expect(await world.scored()).toEqual(rows);
  });

  it('make one job of a burst, which reads each blob once', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    const { events, rows } = await burst(world, 25);
    await world.tell(...events);
    await world.settle();
    expect(world.started).toHaveLength(1);
    expect(await world.scored()).toEqual(rows);
    const spec = await world.deps.jobs.spec(world.started[0] ?? '');
    expect(spec).toMatchObject({
      endpoint: 'heart',
      deployment: 'blue',
      createdBy: 'batchpoint:watch',
      input: { kind: 'UriFolder', uri: 'azureml://datastores/store/paths/in/' },
      output: null,
      listedInput: true,
    });
  });

  it('start a job at once when enough wait', async () => {
    const world = await watchWorld();
    await world.watch({ ...WATCH, maxFiles: 3 });
    const { events } = await burst(world, 3);
    for (const event of events.slice(0, 2)) await world.tell(event);
    await world.serve();
    expect(world.started).toEqual([]);
    await world.tell(...events.slice(2));
    await world.serve();
    expect(world.started).toHaveLength(1);
  });

  it('are each scored once when 1,000 come in a burst, delivered all at once', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    const { events, rows } = await burst(world, 1000);
    await world.tell(...events);
    await world.settle();
    expect(await world.scored()).toEqual(rows);
  });

  it('are scored once however often they are told', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    const { events, rows } = await burst(world, 3);
    await world.tell(...events, ...events);
    await world.settle();
    await world.tell(...events);
    await world.settle();
    world.clock.time += 30 * 24 * 3600 * 1000;
    await world.tell(...events);
    await world.settle();
    expect(world.started).toHaveLength(1);
    expect(await world.scored()).toEqual(rows);
  });

  it('are forgotten when they were seen long ago', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    const first = await world.upload('in/a.csv', 'a');
    await world.tell(first);
    await world.settle();
    expect(await world.deps.events.add(folder, { blob: 'in/a.csv', etag: first.data.eTag })).toBe(false);
    world.clock.time += 61 * 24 * 3600 * 1000;
    await world.tell(await world.upload('in/b.csv', 'b'));
    await world.settle();
    const partition = await world.table.query(`watch|${folderKey(folder)}`);
    expect(partition.rows.filter(({ row }) => row.startsWith('seen|'))).toHaveLength(1);
  });

  it('of other folders, other kinds and markers of folders are nobody’s', async () => {
    const world = await watchWorld();
    await world.watch({ ...WATCH, pattern: '*.csv' });
    for (const name of ['inside/a.csv', 'other/a.csv', 'in/a.txt', 'in/sub/', 'in.csv'])
      await world.tell({ eventType: 'Microsoft.Storage.BlobCreated', data: eventData(name) });
    await world.settle();
    expect(world.started).toEqual([]);
    expect(world.lines.map(({ level, message }) => `${level} ${message}`)).toEqual(
      Array.from({ length: 5 }, () => 'debug nobody watches this blob'),
    );
  });

  it('of folders below are watched too, and are named by their path', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    await world.tell(await world.upload('in/2026/jan/a b.csv', 'deep'));
    await world.settle();
    expect(await world.scored()).toEqual(['2026/jan/a b.csv,0,deep']);
  });

  it('go to every deployment that watches them', async () => {
    const world = await watchWorld();
    await world.watch(WATCH, 'blue');
    await world.watch({ prefix: 'in/sub/' }, 'green');
    await world.tell(await world.upload('in/sub/a.csv', 'a'));
    await world.settle();
    const specs = await Promise.all(world.started.map((job) => world.deps.jobs.spec(job)));
    expect(specs.map((spec) => spec?.deployment).sort()).toEqual(['blue', 'green']);
  });
});

describe('a blob that was overwritten', () => {
  it('before its job planned fails there with that reason, and its new version has a job of its own', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    await world.tell(await world.upload('in/a.csv', 'old'), await world.upload('in/b.csv', 'b'));
    await world.settle();
    const again = await world.upload('in/a.csv', 'new');
    await world.tell(again);
    await world.settle();
    expect(world.started).toHaveLength(2);
    expect(await world.scored()).toEqual(['a.csv,0,new', 'b.csv,0,b']);
    const first = await world.record(world.started[0] ?? '');
    expect(first).toMatchObject({
      state: 'completed',
      totals: { files: 2, filesDone: 1, filesFailed: 1 },
      failures: [
        { file: 'a.csv', code: 'InputChanged', reason: 'The file was overwritten before the job was planned.' },
      ],
    });
  });

  it('or deleted fails its job with that reason when nothing else was in it', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    await world.tell(await world.upload('in/a.csv', 'a'));
    await world.settle();
    await world.data.remove({ container: 'data', name: 'in/a.csv' });
    expect(await world.scored()).toEqual([]);
    expect(await world.record(world.started[0] ?? '')).toMatchObject({
      state: 'failed',
      failures: [{ file: 'a.csv', code: 'InputChanged', reason: 'The file was deleted before the job was planned.' }],
    });
  });
});

describe('two flushes at once', () => {
  it('make one job: one works and the other comes back', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    const { events, rows } = await burst(world, 5);
    await world.tell(...events);
    await world.serve();
    // Five flush messages show now, and are served at the same time.
    world.clock.time += 30_000;
    await world.serve();
    await world.settle();
    expect(world.started).toHaveLength(1);
    expect(await world.scored()).toEqual(rows);
  });

  it('make one job when the first was only slow and the second took its place', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    const { events, rows } = await burst(world, 2);
    await world.tell(...events);
    await world.serve();
    const slow = await world.deps.events.hold(folder);
    expect(await world.deps.events.hold(folder)).toBeUndefined();
    world.clock.time += 61_000;
    await world.settle();
    expect(world.started).toHaveLength(1);
    // What the slow one would write now no longer counts.
    expect(slow && (await world.deps.events.journal(folder, slow, 'another-job'))).toBeUndefined();
    expect(await world.scored()).toEqual(rows);
  });
});

describe('a deployment that is gone', () => {
  it('lets the flush end in poison with its reason, and what waited is scored when it is back', async () => {
    const world = await watchWorld();
    await world.watch(WATCH);
    await world.tell(await world.upload('in/a.csv', 'a'));
    await world.serve();
    const found = await world.deps.registry.deployments.get('heart', 'blue');
    if (!found) throw new Error('the deployment is there');
    await world.deps.registry.deployments.remove(found.value, found.etag);
    await world.settle();
    expect(world.started).toEqual([]);
    expect(world.queues.take('blob-flush-poison').map((text) => JSON.parse(text) as unknown)).toEqual([folder]);
    expect(world.lines.filter(({ level }) => level === 'error')).toEqual([
      {
        level: 'error',
        message: 'message refused',
        fields: {
          queue: 'blob-flush',
          poison: 'blob-flush-poison',
          code: 'NotFound',
          target: undefined,
          reason: "Deployment 'blue' does not exist in endpoint 'heart'.",
        },
      },
    ]);
    await world.watch(WATCH);
    await world.tell(await world.upload('in/b.csv', 'b'));
    await world.settle();
    expect(await world.scored()).toEqual(['a.csv,0,a', 'b.csv,0,b']);
  });
});

const eventData = (name: string) => ({
  api: 'PutBlob',
  url: `https://account.blob.core.windows.net/data/${name}`,
  eTag: '0x1',
});

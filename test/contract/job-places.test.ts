import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { azureTables } from '../../shared/storage/azure-tables.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import { JOBS_CONTAINER, jobsRegistry, type JobsDeps } from '../../shared/storage/registry/jobs.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { withEmptyPages } from '../support/empty-pages.ts';
import { scoringSpec } from '../support/job-specs.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

let tables = 0;
const adapters: [string, () => JobsDeps][] = [
  ['memory with empty pages', () => ({ table: withEmptyPages(memoryTables()('jobs')), blobs: memoryBlobs() })],
  ['Azure storage on Azurite', () => ({ table: azureTables(azurite)(`jobs${tables++}`), blobs: azureBlobs(azurite) })],
];

const MINUTE = 60_000;
const three = [{ group: 'endpoint heart', limit: 3 }];

describe.each(adapters)('places of running jobs on %s', (_name, make) => {
  const registry = async () => {
    const deps = make();
    await deps.blobs.ensureContainer(JOBS_CONTAINER);
    /** Two instances of the app over one storage. */
    return [jobsRegistry(deps), jobsRegistry(deps)] as const;
  };

  it('are never more than the limit, whoever asks at once', async () => {
    const [one, two] = await registry();
    const asked = Array.from({ length: 12 }, (_, i) => (i % 2 ? one : two).enter(`job-${i}`, three, 0));
    const answers = await Promise.all(asked);
    const taken = answers.flatMap((answer) => ('places' in answer ? answer.places : []));
    expect(taken.map(({ slot }) => slot).sort()).toEqual(['00000', '00001', '00002']);
    expect(answers.filter((answer) => 'full' in answer)).toEqual(Array(9).fill({ full: 'endpoint heart' }));
  });

  it('are the same for a job that asks again, and free again when it leaves', async () => {
    const [one, two] = await registry();
    const first = await one.enter('a', three, 0);
    if (!('places' in first)) throw new Error('no place');
    expect(await two.enter('a', three, 0)).toEqual({ places: first.places, isNew: false });
    for (const name of ['b', 'c']) await one.enter(name, three, 0);
    await two.leave('a', first.places);
    expect(await one.enter('d', three, 0)).toEqual({ places: first.places, isNew: true });
    // By now it is another's.
    await two.leave('a', first.places);
    expect(await one.enter('e', three, 0)).toEqual({ full: 'endpoint heart' });
  });

  it('are taken in all groups or in none', async () => {
    const [jobs] = await registry();
    const single = [{ group: 'caller x', limit: 1 }];
    await jobs.enter('a', single, 0);
    expect(await jobs.enter('b', [...three, ...single], 0)).toEqual({ full: 'caller x' });
    for (const name of ['c', 'd', 'e']) expect(await jobs.enter(name, three, 0)).toMatchObject({ isNew: true });
  });

  it('pass on from a job that has ended or was never stored, not from one that runs', async () => {
    const [jobs, other] = await registry();
    for (const name of ['runs', 'ended']) {
      await jobs.create(scoringSpec(name));
      await jobs.enter(name, three, 0);
    }
    await jobs.enter('never-stored', three, 0);
    await jobs.transition('ended', ({ endpoint, deployment, createdAt }) => ({
      ...{ state: 'completed', name: 'ended', endpoint, deployment, createdAt, cancelRequested: false },
      ...{ startedAt: null, endedAt: createdAt, totals: null, failures: [], errorsUri: null, outputUri: 'x' },
    }));
    // They may just be about to be stored.
    expect(await jobs.enter('early', three, MINUTE - 1)).toEqual({ full: 'endpoint heart' });
    expect(await other.enter('b', three, MINUTE)).toMatchObject({ isNew: true });
    // Not every refused request looks at every job.
    expect(await other.enter('c', three, MINUTE + 1)).toEqual({ full: 'endpoint heart' });
    expect(await other.enter('c', three, MINUTE + 10_000)).toMatchObject({ isNew: true });
    expect(await other.enter('d', three, MINUTE + 20_000)).toEqual({ full: 'endpoint heart' });
  });

  it('beyond a limit that was lowered are given back, too', async () => {
    const [jobs] = await registry();
    const entries = await Promise.all(['a', 'b', 'c'].map((name) => jobs.enter(name, three, 0)));
    const fewer = [{ group: 'endpoint heart', limit: 1 }];
    expect(await jobs.enter('d', fewer, 0)).toEqual({ full: 'endpoint heart' });
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      const entry = entries[index];
      if (entry && 'places' in entry) await jobs.leave(name, entry.places);
    }
    expect(await jobs.enter('d', fewer, 0)).toEqual({
      places: [{ group: 'endpoint heart', slot: '00000' }],
      isNew: true,
    });
  });
});

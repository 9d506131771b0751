import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobRecord } from '../../shared/domain/job.ts';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { azureTables } from '../../shared/storage/azure-tables.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import { JOBS_CONTAINER, jobsRegistry, type JobsDeps } from '../../shared/storage/registry/jobs.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { withEmptyPages } from '../support/empty-pages.ts';
import { scoringSpec as spec } from '../support/job-specs.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

const adapters: [string, () => JobsDeps][] = [
  ['memory with empty pages', () => ({ table: withEmptyPages(memoryTables()('jobs')), blobs: memoryBlobs() })],
  ['Azure storage on Azurite', () => ({ table: azureTables(azurite)('jobs'), blobs: azureBlobs(azurite) })],
];

const at = '2026-01-01T00:00:00.000Z';
const ended = {
  ...{ startedAt: null, endedAt: at, totals: null, failures: [], errorsUri: null },
  reason: { code: 'c', message: 'm' },
};

it.each(adapters)('the open lanes and the instances are counted on %s', async (_name, make) => {
  const deps = make();
  await deps.blobs.ensureContainer(JOBS_CONTAINER);
  const [one, two] = [jobsRegistry(deps), jobsRegistry(deps)];
  expect(await one.crowd(0)).toEqual({ lanes: 0, instances: 1 });
  for (const name of ['a', 'b', 'c']) await one.create(spec(name));
  expect(await two.crowd(1000)).toEqual({ lanes: 3, instances: 2 });

  const running = { execution: 'e', startedAt: '2026-01-01T00:00:00.000Z' };
  const scoring = (record: JobRecord): JobRecord => ({ ...record, ...running, state: 'scoring', files: 9, lanes: 5 });
  const committing = (record: JobRecord): JobRecord => ({
    ...scoring(record),
    ...running,
    state: 'committing',
    files: 9,
    lanes: 5,
  });
  await one.transition('a', scoring);
  await two.transition('b', scoring);
  expect(await one.crowd(2000)).toEqual({ lanes: 11, instances: 2 });
  await one.transition('a', committing);
  await one.transition('b', (record) => ({ ...record, ...ended, state: 'failed' }));
  expect(await one.crowd(3000)).toEqual({ lanes: 2, instances: 2 });
  // The sweeper takes out what nobody else did.
  await one.close('a');
  await one.close('c');
  expect(await one.crowd(32_000)).toEqual({ lanes: 0, instances: 1 });
  // Two is forgotten, and comes again.
  expect(await one.crowd(700_000)).toEqual({ lanes: 0, instances: 1 });
  expect(await two.crowd(700_000)).toEqual({ lanes: 0, instances: 2 });
});

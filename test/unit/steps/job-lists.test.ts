import { describe, expect, it } from 'vitest';
import type { PipelineRecord } from '../../../shared/domain/pipeline/pipeline-job.ts';
import { listJobs } from '../../../shared/steps/any-job.ts';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../../shared/storage/memory-tables.ts';
import { allRows } from '../../../shared/storage/all-rows.ts';
import { JOBS_CONTAINER, jobsRegistry } from '../../../shared/storage/registry/jobs.ts';
import { pipelinesRegistry } from '../../../shared/storage/registry/pipelines.ts';
import { countedStorage } from '../../support/counted-storage.ts';
import { pipelineSpec, scoringSpec } from '../../support/job-specs.ts';

const PAGE = 20;
const LARGE = { note: 'x'.repeat(9000) };

async function world() {
  const table = memoryTables()('jobs');
  const blobs = memoryBlobs();
  await blobs.ensureContainer(JOBS_CONTAINER);
  const counted = countedStorage({ table, blobs });
  const deps = {
    jobs: jobsRegistry(counted),
    pipelines: pipelinesRegistry(counted),
    clock: { now: () => Date.now() },
  };
  let made = 0;
  /** Each a millisecond younger than the one before. */
  const younger = (): string => new Date(Date.now() - 60_000 + made++).toISOString();
  const list = async (continuation?: string) => {
    counted.counts();
    const page = await listJobs(deps, {}, PAGE, continuation);
    return { ...page, reads: counted.counts() };
  };
  return { table, deps, younger, list };
}

const half = Array.from({ length: PAGE / 2 }, (_, index) => index);

describe('a page of jobs', () => {
  it('is read with one query and two rows for each job of either kind', async () => {
    const { deps, younger, list } = await world();
    for (const index of [...half, ...half.map((index) => PAGE + index)]) {
      await deps.jobs.create(scoringSpec(`scores-${index}`, { createdAt: younger() }));
      await deps.pipelines.create(pipelineSpec(`pipes-${index}`, { createdAt: younger() }));
    }
    const first = await list();
    expect([first.views.length, first.reads]).toEqual([PAGE, { rows: 1, row: 2 * PAGE }]);
    const second = await list(first.continuation);
    expect([second.views.length, second.reads['row'], second.reads['blob']]).toEqual([PAGE, 2 * PAGE, undefined]);
    const names = [...first.views, ...second.views].map(({ spec }) => spec.name);
    expect(names.slice(0, 2)).toEqual([`pipes-${PAGE + PAGE / 2 - 1}`, `scores-${PAGE + PAGE / 2 - 1}`]);
    expect(new Set(names).size).toBe(2 * PAGE);
  });

  it('is read with a blob more for a job that is too large for a row', async () => {
    const { deps, younger, list } = await world();
    for (const index of half) {
      await deps.jobs.create(scoringSpec(`scores-${index}`, { createdAt: younger(), tags: LARGE }));
      await deps.pipelines.create(pipelineSpec(`pipes-${index}`, { createdAt: younger(), sent: LARGE }));
    }
    const { views, reads } = await list();
    expect(reads).toMatchObject({ row: 2 * PAGE, blob: PAGE });
    expect(views.map(({ kind, spec }) => (kind === 'scoring' ? spec.tags : spec.sent))).toEqual(
      Array.from({ length: PAGE }, () => LARGE),
    );
  });

  it('shows jobs as they now describe themselves', async () => {
    const { deps, younger, list } = await world();
    await deps.jobs.create(scoringSpec('scores', { createdAt: younger() }));
    await deps.pipelines.create(pipelineSpec('pipes', { createdAt: younger() }));
    for (const { edit, name } of [
      { edit: deps.jobs.edit, name: 'scores' },
      { edit: deps.pipelines.edit, name: 'pipes' },
    ])
      await edit(name, (edits) => ({
        ...edits,
        archived: true,
        displayName: `new ${name}`,
        description: 'new',
        tags: { is: 'new' },
      }));
    const shown = (name: string) => ({
      archived: true,
      spec: { displayName: `new ${name}`, description: 'new', tags: { is: 'new' } },
    });
    expect((await list()).views).toMatchObject([shown('pipes'), shown('scores')]);
  });

  it('shows jobs whose index rows know nothing but their names', async () => {
    const { table, deps, younger, list } = await world();
    const created = younger();
    await deps.jobs.create(scoringSpec('scores', { createdAt: created }));
    await deps.pipelines.create(pipelineSpec('pipes', { createdAt: younger() }));
    const { views } = await list();
    const month = created.slice(0, 7).replace('-', '');
    for await (const { partition, row, etag, values } of allRows(table, `jobs-of-all|${month}`)) {
      const { name = '', deployment } = values;
      await table.replace({ partition, row }, { name, ...(deployment !== undefined && { deployment }) }, etag);
    }
    expect((await list()).views).toEqual(views);
  });

  it('leaves out a job that is known to the index alone', async () => {
    const { table, deps, younger, list } = await world();
    await deps.jobs.create(scoringSpec('scores', { createdAt: younger() }));
    await deps.pipelines.create(pipelineSpec('pipes', { createdAt: younger() }));
    for (const [partition, row] of [
      ['scores', 'job'],
      ['pipes', 'pipeline'],
    ] as const)
      await table.remove({ partition, row }, (await table.get({ partition, row }))?.etag ?? '');
    expect((await list()).views).toEqual([]);
  });
});

describe('a listed pipeline', () => {
  const ended = (state: 'completed' | 'failed') => (record: PipelineRecord) => {
    const { name, createdAt, cancelRequested } = record;
    const end = { name, createdAt, cancelRequested, startedAt: createdAt, endedAt: createdAt };
    return state === 'completed'
      ? { state, ...end }
      : { state, ...end, reason: { code: 'Odd', message: 'It was odd.' } };
  };

  it('tells its outputs once it has completed, and why it failed', async () => {
    const { deps, younger, list } = await world();
    for (const name of ['runs', 'completes', 'fails'])
      await deps.pipelines.create(pipelineSpec(name, { createdAt: younger() }));
    await deps.pipelines.transition('completes', ended('completed'));
    await deps.pipelines.transition('fails', ended('failed'));
    const uri = 'azureml://datastores/s/paths/completes/out/';
    const { views } = await list();
    expect(views).toMatchObject([
      { status: 'Failed', reason: { code: 'Odd', message: 'It was odd.' }, outputs: {} },
      { status: 'Completed', outputs: { result: { type: 'uri_folder', uri } } },
      { status: 'Preparing', outputs: {} },
    ]);
    for (const view of views) expect(view).not.toHaveProperty('steps');
  });
});

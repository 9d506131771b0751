import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineSummary } from '../../shared/domain/pipeline/pipeline-job.ts';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { azureTables } from '../../shared/storage/azure-tables.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import { JOBS_CONTAINER, jobsRegistry, type JobsDeps } from '../../shared/storage/registry/jobs.ts';
import { pipelinesRegistry } from '../../shared/storage/registry/pipelines.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { pipelineSpec, scoringSpec } from '../support/job-specs.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

let tables = 0;
const adapters: [string, () => JobsDeps][] = [
  ['memory', () => ({ table: memoryTables()('jobs'), blobs: memoryBlobs() })],
  ['Azure storage on Azurite', () => ({ table: azureTables(azurite)(`index${tables++}`), blobs: azureBlobs(azurite) })],
];

const at = (second: number): string => new Date(Date.now() - second * 1000).toISOString();

describe.each(adapters)('the index of jobs on %s', (_name, make) => {
  const registries = async () => {
    const deps = make();
    await deps.blobs.ensureContainer(JOBS_CONTAINER);
    return { jobs: jobsRegistry(deps), pipelines: pipelinesRegistry(deps) };
  };

  it('knows jobs of both kinds with what they were asked to do, but for the steps', async () => {
    const { jobs, pipelines } = await registries();
    const scoring = scoringSpec('scores', { createdAt: at(2) });
    const pipeline = pipelineSpec('pipes', { createdAt: at(1), endpoint: 'heart', deployment: 'graph' });
    await jobs.create(scoring);
    await pipelines.create(pipeline);
    const both = [
      { name: 'pipes', kind: 'pipeline', spec: PipelineSummary.parse(pipeline) },
      { name: 'scores', kind: 'scoring', spec: scoring },
    ];
    expect(both[0]?.spec).not.toHaveProperty('steps');
    expect(await jobs.list({}, 5)).toEqual({ jobs: both });
    expect(await jobs.list({ endpoint: 'heart' }, 5)).toEqual({ jobs: both });
  });

  it('keeps what was asked as it was, also of a job that was archived and restored', async () => {
    const { jobs, pipelines } = await registries();
    const scoring = scoringSpec('edited-scores', { createdAt: at(2) });
    const pipeline = pipelineSpec('edited-pipes', { createdAt: at(1) });
    await jobs.create(scoring);
    await pipelines.create(pipeline);
    const { jobs: before } = await jobs.list({}, 5);
    for (const archived of [true, false]) {
      await jobs.edit('edited-scores', (edits) => ({ ...edits, archived, displayName: 'renamed' }));
      await pipelines.edit('edited-pipes', (edits) => ({ ...edits, archived, tags: { a: 'b' } }));
      expect(await jobs.list({ archived }, 5)).toEqual({ jobs: before });
      expect(await jobs.list({ archived: !archived }, 5)).toEqual({ jobs: [] });
    }
  });

  it('knows of a job that is too large for a row what it is, not what it was asked', async () => {
    const { jobs, pipelines } = await registries();
    const large = { note: 'x'.repeat(9000) };
    await jobs.create(scoringSpec('large-scores', { createdAt: at(2), tags: large }));
    await pipelines.create(pipelineSpec('large-pipes', { createdAt: at(1), sent: large }));
    expect(await jobs.list({}, 5)).toEqual({
      jobs: [
        { name: 'large-pipes', kind: 'pipeline' },
        { name: 'large-scores', kind: 'scoring' },
      ],
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { OrchestrationState } from '../../../shared/domain/job.ts';
import { cancelJob } from '../../../shared/steps/cancel-job.ts';
import { listJobs } from '../../../shared/steps/any-job.ts';
import { viewJob } from '../../../shared/steps/job-view.ts';
import { pipelinesRegistry } from '../../../shared/storage/registry/pipelines.ts';
import { jobWorld, numbered, planned, type JobWorld } from '../../support/job-world.ts';

const world = async () => {
  const made = jobWorld({ sliceMs: 0 });
  await made.put(numbered(3));
  await made.accept('job', {}, { endpoint: 'heart' });
  const deps = (state: OrchestrationState) => ({
    ...made.deps,
    orchestrations: { start: async () => undefined, state: async () => state },
  });
  return { ...made, with: deps };
};

describe('a job whose orchestration is lost', () => {
  it.each(['ended', 'absent'] as const)(
    'has failed on every surface once somebody looks (%s), and frees its path',
    async (state) => {
      const lost = await world();
      await planned(lost, 'job');
      await lost.slice('job', 0);
      expect(await viewJob(lost.with(state), 'job')).toMatchObject({
        status: 'Failed',
        reason: { code: 'OrchestrationLost' },
      });
      expect(await lost.record('job')).toMatchObject({ state: 'failed' });
      expect((await listJobs(listing(lost), { endpoint: 'heart' }, 5)).views).toMatchObject([{ status: 'Failed' }]);
      await lost.accept('next');
      expect(await lost.run('next')).toMatchObject({ state: 'completed' });
    },
  );

  it('is cancelled at once when it was never started', async () => {
    const lost = await world();
    expect(await viewJob(lost.with('absent'), 'job')).toMatchObject({ status: 'Preparing' });
    expect(await cancelJob(lost.with('absent'), 'job')).toMatchObject({ status: 'Canceled' });
    expect(await lost.record('job')).toMatchObject({ state: 'canceled' });
  });
});

describe('the list', () => {
  it('shows the progress of a running job', async () => {
    const running = await world();
    await planned(running, 'job');
    await running.slice('job', 0);
    const { views } = await listJobs(listing(running), { endpoint: 'heart' }, 5);
    expect(views).toMatchObject([{ status: 'Running', totals: { files: 3, filesDone: 1, rows: 1 } }]);
  });
});

const listing = ({ deps, table, system }: Pick<JobWorld, 'deps' | 'table' | 'system'>) => ({
  ...deps,
  pipelines: pipelinesRegistry({ table, blobs: system }),
});

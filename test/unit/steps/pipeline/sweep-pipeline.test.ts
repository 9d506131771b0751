import { describe, expect, test } from 'vitest';
import { cancelPipeline } from '../../../../shared/steps/pipeline/cancel-pipeline.ts';
import { viewPipeline } from '../../../../shared/steps/pipeline/pipeline-view.ts';
import { submitPipeline } from '../../../../shared/steps/pipeline/submit-pipeline.ts';
import { sweepJobs } from '../../../../shared/steps/sweep-jobs.ts';
import { fakeOrchestrations } from '../../../support/fake-orchestrations.ts';
import { pipelineWorld } from '../../../support/pipeline-world.ts';

const MINUTE = 60_000;

/** A pipeline of two steps that was accepted, and a sweeper; nothing happens by itself. */
async function sweepWorld() {
  const clock = { time: Date.parse('2026-03-01T00:00:00.000Z'), now: () => clock.time };
  const world = pipelineWorld({ clock });
  const pipelineOrchestrations = fakeOrchestrations();
  const deps = { ...world.deps, orchestrations: fakeOrchestrations(), pipelineOrchestrations, retentionDays: 30 };
  await world.submit('job', { a: {}, b: { after: ['a'] } });
  const sweepAfter = async (ms: number) => {
    clock.time += ms;
    await sweepJobs(deps);
    return pipelineOrchestrations.asked.splice(0);
  };
  const view = async () => {
    const found = await viewPipeline(deps, 'job');
    return { status: found?.status, reason: found?.reason?.code };
  };
  const isOpen = async () => (await deps.jobs.open(10)).jobs.some(({ name }) => name === 'job');
  return { ...world, deps, clock, pipelineOrchestrations, sweepAfter, view, isOpen };
}

describe('a sweep, of pipelines', () => {
  test('starts one that nobody started, once it has waited', async () => {
    const world = await sweepWorld();
    expect(await world.sweepAfter(0)).toEqual([]);
    expect(await world.sweepAfter(2 * MINUTE)).toEqual(['start job/1']);
    expect(await world.sweepAfter(0)).toEqual([]);
  });

  test('leaves one alone whose orchestration runs', async () => {
    const world = await sweepWorld();
    await world.take('job');
    world.pipelineOrchestrations.states.set('job/1', 'active');
    expect(await world.sweepAfter(60 * MINUTE)).toEqual([]);
    expect(await world.view()).toEqual({ status: 'Running', reason: undefined });
  });

  test('ends one whose orchestration is lost, and never starts it again', async () => {
    const world = await sweepWorld();
    await world.take('job');
    world.pipelineOrchestrations.states.set('job/1', 'failed');
    await world.sweepAfter(0);
    expect(await world.view()).toEqual({ status: 'Failed', reason: 'OrchestrationLost' });
    await world.sweepAfter(MINUTE);
    expect(await world.isOpen()).toBe(false);
    expect((await viewPipeline(world.deps, 'job'))?.steps.map(({ status }) => status)).toEqual([
      'Canceled',
      'Canceled',
    ]);
  });

  test('ends one that does not stop when it is told to', async () => {
    const world = await sweepWorld();
    await world.take('job');
    world.pipelineOrchestrations.states.set('job/1', 'active');
    await cancelPipeline(world.deps, 'job');
    expect(await world.sweepAfter(MINUTE)).toEqual([]);
    expect(await world.view()).toEqual({ status: 'CancelRequested', reason: undefined });
    expect(await world.sweepAfter(6 * MINUTE)).toEqual(['terminate job/1']);
    expect(await world.view()).toEqual({ status: 'Canceled', reason: 'Canceled' });
  });

  test('ends at once one that was cancelled before anybody started it', async () => {
    const world = await sweepWorld();
    await cancelPipeline(world.deps, 'job');
    await world.sweepAfter(0);
    expect(await world.view()).toEqual({ status: 'Canceled', reason: 'Canceled' });
  });

  test('takes one that has ended out of the open jobs', async () => {
    const world = await sweepWorld();
    await world.run('job');
    await world.sweepAfter(0);
    expect(await world.isOpen()).toBe(false);
  });
});

describe('submitting a pipeline', () => {
  test('starts it once; the same request again is the same job, another one of its name is refused', async () => {
    const { deps, specOf, pipelineOrchestrations } = await sweepWorld();
    const submit = { ...deps, pipelineOrchestrations };
    const spec = specOf('new', { a: {} });
    expect((await submitPipeline(submit, spec)).created).toBe(true);
    expect((await submitPipeline(submit, spec)).created).toBe(false);
    await expect(submitPipeline(submit, { ...spec, requestHash: 'other' })).rejects.toThrow(
      "A job 'new' was already made from another request. Give another name.",
    );
  });
});

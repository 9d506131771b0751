import { describe, expect, test } from 'vitest';
import { JobFault } from '../../../../shared/domain/errors.ts';
import { CANCELED } from '../../../../shared/steps/cancel-job.ts';
import { cancelPipeline } from '../../../../shared/steps/pipeline/cancel-pipeline.ts';
import { viewPipeline } from '../../../../shared/steps/pipeline/pipeline-view.ts';
import { runStep } from '../../../../shared/steps/pipeline/run-step.ts';
import { takePipeline } from '../../../../shared/steps/pipeline/take-pipeline.ts';
import { seeded } from '../../../chaos/seeded.ts';
import { pipelineWorld, type GraphStep } from '../../../support/pipeline-world.ts';

const DIAMOND: Record<string, GraphStep> = {
  load: {},
  left: { after: ['load'] },
  right: { after: ['load'] },
  join: { after: ['left', 'right'] },
};

const states = (view: { steps: readonly { plan: { path: string }; record: { state: string } }[] }) =>
  Object.fromEntries(view.steps.map(({ plan, record }) => [plan.path, record.state]));

describe('a pipeline job', () => {
  test('runs each step once, when all steps before it are through', async () => {
    const world = pipelineWorld();
    await world.submit('job', DIAMOND);
    const view = await world.run('job');
    expect(view.status).toBe('Completed');
    expect(states(view)).toEqual({ load: 'completed', left: 'completed', right: 'completed', join: 'completed' });
    expect([...world.runs].sort()).toEqual(['join', 'left', 'load', 'right']);
    expect(world.runs[0]).toBe('load');
    expect(world.runs[3]).toBe('join');
    expect(view.outputs).toEqual({
      result: { type: 'uri_folder', uri: 'azureml://datastores/store/paths/azureml/job/join/out/' },
    });
    expect(await world.textAt('azureml://datastores/store/paths/azureml/job/join/out/')).toBe(
      'load;left;load;right;join;',
    );
  });

  test('of one step, and of many that know nothing of each other', async () => {
    const world = pipelineWorld();
    await world.submit('one', { only: {} });
    expect((await world.run('one')).status).toBe('Completed');
    await world.submit(
      'many',
      Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`s${i}`, { reusable: false }])),
    );
    expect((await world.run('many')).status).toBe('Completed');
    expect(world.runs.length).toBe(26);
  });

  test('independent steps overlap in time', async () => {
    const world = pipelineWorld();
    const meet = rendezvous(2);
    world.during.set('left', meet);
    world.during.set('right', meet);
    await world.submit('job', DIAMOND);
    expect((await world.run('job')).status).toBe('Completed');
  });

  test.each([1, 2, 3, 4])(
    'random graph %i: whatever is delivered twice, each step ends once and nothing is lost',
    async (seed) => {
      const random = seeded(seed);
      const world = pipelineWorld({ twice: () => random() < 0.4 });
      const graph: Record<string, GraphStep> = {};
      for (let i = 0; i < 30; i++) {
        const earlier = Object.keys(graph).filter(() => random() < 0.15);
        graph[`s${i}`] = { after: earlier };
      }
      await world.submit('job', graph);
      const view = await world.run('job');
      expect(view.status).toBe('Completed');
      for (const { plan, record } of view.steps) {
        expect(record.settled.toSorted()).toEqual(plan.dependsOn.toSorted());
        const text = await world.textAt(plan.outputs['out']?.uri ?? '');
        expect(text.endsWith(`${plan.path};`)).toBe(true);
        for (const path of plan.dependsOn) expect(text).toContain(`${path};`);
      }
    },
  );

  test('a step that fails fails the job with its words; what comes after it is cancelled', async () => {
    const world = pipelineWorld();
    await world.submit('job', { a: { work: command('fail') }, b: { after: ['a'] }, c: { after: ['b'] } });
    const view = await world.run('job');
    expect(view.status).toBe('Failed');
    expect(view.reason).toEqual({
      code: 'ExitCode',
      message: "Step 'a' failed: The command ended with exit code 1.",
    });
    expect(states(view)).toEqual({ a: 'failed', b: 'canceled', c: 'canceled' });
    expect(world.runs).toEqual(['a']);
    expect(await world.log('job')).toContain("pipeline failed: Step 'a' failed: The command ended with exit code 1.");
    const run = view.steps[0]?.plan.run ?? '';
    expect(await world.log(run)).toMatch(/running fail\n.*ERROR step a failed: The command ended with exit code 1\./);
  });

  test('continueOnStepFailure: steps that do not depend on the failed one still run', async () => {
    const world = pipelineWorld();
    const graph = { a: { work: command('fail') }, b: { after: ['a'] }, c: {}, d: { after: ['c'] } };
    await world.submit('job', graph, { continueOnStepFailure: true });
    const view = await world.run('job');
    expect(view.status).toBe('Failed');
    expect(states(view)).toEqual({ a: 'failed', b: 'skipped', c: 'completed', d: 'completed' });
  });

  test('a fault of the infrastructure that stays fails the step, and its dependents are not left waiting', async () => {
    const world = pipelineWorld();
    await world.submit('job', { a: { work: command('crash') }, b: { after: ['a'] } });
    const view = await world.run('job');
    expect(view.reason?.message).toBe("Step 'a' failed: the disk is gone");
    expect(states(view)).toEqual({ a: 'failed', b: 'canceled' });
  });

  test('cancelled: the command that runs is ended, nothing else begins', async () => {
    const world = pipelineWorld();
    world.during.set('a', async (signal) => {
      await cancelPipeline(world.deps, 'job');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    await world.submit('job', { a: {}, b: { after: ['a'] } });
    const view = await world.run('job');
    expect(view.status).toBe('Canceled');
    expect(view.reason).toEqual(CANCELED);
    expect(states(view)).toEqual({ a: 'canceled', b: 'canceled' });
    expect(world.runs).toEqual(['a']);
    await expect(cancelPipeline(world.deps, 'job')).resolves.toBeUndefined();
  });

  test('a job that has ended is not cancelled, and says so', async () => {
    const world = pipelineWorld();
    await world.submit('job', { a: {} });
    await world.run('job');
    await expect(cancelPipeline(world.deps, 'job')).rejects.toThrow("Job 'job' has already ended: completed.");
    await expect(cancelPipeline(world.deps, 'none')).rejects.toThrow("There is no job 'none'.");
  });

  test('another execution of an orchestration that was taken does nothing', async () => {
    const world = pipelineWorld();
    await world.submit('job', { a: {} });
    await world.take('job');
    expect(await takePipeline(world.deps, { job: 'job', execution: 'another' })).toEqual({ over: true, sources: [] });
  });

  test('a process that dies between a step’s winner and its commit: the repeat commits the winner’s outputs', async () => {
    const world = pipelineWorld();
    await world.submit('job', { a: {}, b: { after: ['a'] } });
    await world.take('job');
    const dying = {
      ...world.deps,
      executor: { ...world.deps.executor, commit: () => Promise.reject(new Error('killed')) },
    };
    const input = { job: 'job', execution: 'the-execution', step: 'a' };
    await expect(runStep(dying, input)).rejects.toThrow('killed');
    expect((await world.deps.pipelines.step('job', 'a')).state).toBe('committing');
    expect(await runStep(world.deps, input)).toEqual({ state: 'ended', next: ['b'] });
    expect(world.runs).toEqual(['a']);
    expect(await runStep(world.deps, input)).toEqual({ state: 'ended', next: ['b'] });
  });
});

describe('a step whose outputs cannot be committed', () => {
  test('fails with the words for its user, and is not tried again', async () => {
    const world = pipelineWorld();
    world.deps.executor.commit = () => Promise.reject(new JobFault('OutputBlocked', 'Another writer is there.'));
    await world.submit('job', { a: {}, b: { after: ['a'] } });
    const view = await world.run('job');
    expect(view.reason).toEqual({ code: 'OutputBlocked', message: "Step 'a' failed: Another writer is there." });
    expect(states(view)).toEqual({ a: 'failed', b: 'canceled' });
    expect(world.runs).toEqual(['a']);
  });
});

describe('a step that is unchanged', () => {
  const graph: Record<string, GraphStep> = {
    a: { inputs: { data: { from: 'place', type: 'uri_folder', uri: 'azureml://datastores/store/paths/in/' } } },
    b: { after: ['a'] },
  };
  const textOf = (job: string) => `azureml://datastores/store/paths/azureml/${job}/b/out/`;

  test('is not run again: its outputs fill the new job’s, and the job says so', async () => {
    const world = pipelineWorld();
    await world.put({ 'in/x': 'data,' });
    await world.submit('first', graph);
    const first = await world.run('first');
    await world.submit('second', graph);
    const second = await world.run('second');
    expect(world.runs).toEqual(['a', 'b']);
    expect(second.status).toBe('Completed');
    expect(await world.textAt(textOf('second'))).toBe('data,a;b;');
    const { record } = second.steps[1] ?? {};
    expect(record).toMatchObject({
      state: 'completed',
      metrics: { steps: 2 },
      reusedFrom: { job: 'first', run: first.steps[1]?.plan.run },
    });
    expect(await world.log('second')).toContain('step b completed: taken over, not run again');
  });

  test('runs again when its input changed, and only what depends on that', async () => {
    const world = pipelineWorld();
    await world.put({ 'in/x': 'data,' });
    await world.submit('first', { ...graph, c: {} });
    await world.run('first');
    await world.put({ 'in/x': 'other,' });
    await world.submit('second', { ...graph, c: {} });
    await world.run('second');
    expect(world.runs.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c']);
    expect(await world.textAt(textOf('second'))).toBe('other,a;b;');
  });

  test('whose input was written anew with the same outcome is not run again itself', async () => {
    const world = pipelineWorld();
    const forced = { a: { reusable: false }, b: { after: ['a'] } };
    await world.submit('first', forced);
    await world.run('first');
    await world.submit('second', forced);
    await world.run('second');
    expect(world.runs).toEqual(['a', 'b', 'a']);
  });

  test('runs again when its earlier outputs are gone', async () => {
    const world = pipelineWorld();
    await world.submit('first', { a: {} });
    await world.run('first');
    await world.data.remove({ container: 'data', name: 'azureml/first/a/out/text' });
    await world.submit('second', { a: {} });
    expect((await world.run('second')).status).toBe('Completed');
    expect(world.runs).toEqual(['a', 'a']);
  });

  test('is known by the input that it read, not by what lay there when it was committed', async () => {
    const world = pipelineWorld();
    await world.put({ 'in/x': 'data,' });
    await world.submit('first', graph);
    await world.take('first');
    const { commit } = world.deps.executor;
    world.deps.executor.commit = () => Promise.reject(new Error('killed'));
    const input = { job: 'first', execution: 'the-execution', step: 'a' };
    await expect(runStep(world.deps, input)).rejects.toThrow('killed');
    await world.put({ 'in/x': 'other,' });
    world.deps.executor.commit = commit;
    await world.step('first', 'a');
    await world.end('first');
    await world.submit('second', graph);
    await world.run('second');
    expect(await world.textAt(textOf('first'))).toBe('data,a;b;');
    expect(await world.textAt(textOf('second'))).toBe('other,a;b;');
  });

  test('that failed is run again', async () => {
    const world = pipelineWorld();
    await world.submit('first', { a: { work: command('fail') } });
    await world.run('first');
    await world.submit('second', { a: { work: command('fail') } });
    await world.run('second');
    expect(world.runs).toEqual(['a', 'a']);
  });
});

test('a view of no job is nothing', async () => {
  expect(await viewPipeline(pipelineWorld().deps, 'none')).toBeUndefined();
});

const command = (text: string): NonNullable<GraphStep['work']> => ({
  kind: 'command',
  command: text,
  inputNames: [],
  environmentVariables: {},
});

/** Goes on when `count` have come. */
function rendezvous(count: number): () => Promise<void> {
  let come = 0;
  let open: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (open = resolve));
  return async () => {
    if (++come === count) open();
    await all;
  };
}

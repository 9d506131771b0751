import { describe, expect, it } from 'vitest';
import type { JobRecord } from '../../../shared/domain/job.ts';
import { cancelJob } from '../../../shared/steps/cancel-job.ts';
import { commitJob } from '../../../shared/steps/commit-job.ts';
import { viewJob } from '../../../shared/steps/job-view.ts';
import type { Log } from '../../../shared/steps/ports.ts';
import { sweepJobs } from '../../../shared/steps/sweep-jobs.ts';
import { fakeOrchestrations } from '../../support/fake-orchestrations.ts';
import { noPipelines } from '../../support/no-pipelines.ts';
import { jobWorld, numbered, numberedOutput, planned } from '../../support/job-world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A job `job` over three files, and a sweeper; nothing happens by itself. */
async function sweepWorld(files = 3, settings = {}) {
  const clock = { time: Date.parse('2026-03-01T00:00:00.000Z'), now: () => clock.time };
  const world = jobWorld({ sliceMs: 0, clock });
  const orchestrations = fakeOrchestrations();
  const lines: string[] = [];
  const note =
    (level: string): Log['info'] =>
    (fields, message) =>
      void lines.push(`${level} ${String(fields['job'])} ${message}`);
  const log = { debug() {}, info() {}, warn: note('warn'), error: note('error') };
  const deps = { ...world.deps, ...noPipelines(world), log, orchestrations, retentionDays: 30 };
  await world.put(numbered(files));
  await world.accept('job', settings);
  const startedAs = async (generation: number) => {
    await orchestrations.start('job', generation);
    orchestrations.asked.length = 0;
  };
  const sweepAfter = async (ms: number) => {
    clock.time += ms;
    await sweepJobs(deps);
    return orchestrations.asked.splice(0).filter((asked) => !asked.startsWith('purge'));
  };
  const openJobs = async () => (await deps.jobs.open(100)).jobs.map(({ name }) => name);
  return { ...world, clock, orchestrations, deps, lines, startedAs, sweepAfter, openJobs };
}

describe('a sweep', () => {
  it('of no jobs does nothing', async () => {
    const orchestrations = fakeOrchestrations();
    const world = jobWorld();
    await sweepJobs({ ...world.deps, ...noPipelines(world), orchestrations, retentionDays: 30 });
    expect(orchestrations.asked).toMatchObject([expect.stringMatching(/^purge /)]);
  });

  it('looks at every open job, page after page, and at no ended one twice', async () => {
    const world = await sweepWorld();
    const names = Array.from({ length: 45 }, (_, i) => `job-${String(i).padStart(2, '0')}`);
    for (const name of names) await world.accept(name);
    expect(await world.sweepAfter(2 * MINUTE)).toHaveLength(46);
    const dead = { ...world.deps, jobs: { ...world.deps.jobs, close: () => Promise.reject(new Error('killed')) } };
    for (const name of names) {
      await planned(world, name);
      await world.deps.jobs.stop(name, { code: 'c', message: 'm' });
      const lanes = [await world.lane(name, 0)];
      await expect(commitJob(dead, { job: name, execution: 'the-execution', lanes })).rejects.toThrow('killed');
    }
    expect(await world.openJobs()).toHaveLength(46);
    await world.sweepAfter(0);
    expect(await world.openJobs()).toEqual(['job']);
  });

  it('does not meet a job that has let go of everything at its end', async () => {
    const world = await sweepWorld();
    await world.run('job');
    expect(await world.openJobs()).toEqual([]);
  });

  it('goes on when one job fails it', async () => {
    const world = await sweepWorld();
    await world.accept('other');
    const state = async (job: string) => {
      if (job === 'job') throw new Error('the task hub is away');
      return 'absent' as const;
    };
    world.clock.time += 2 * MINUTE;
    await sweepJobs({ ...world.deps, orchestrations: { ...world.orchestrations, state } });
    expect(world.orchestrations.asked).toContain('start other/1');
    expect(world.lines).toContain('error job sweep failed');
  });

  it('removes an index row whose record was never written, after a day', async () => {
    const world = await sweepWorld();
    const jobs = { ...world.deps.jobs, get: async () => undefined };
    await sweepJobs({ ...world.deps, jobs });
    expect(await world.openJobs()).toEqual(['job']);
    world.clock.time += DAY;
    await sweepJobs({ ...world.deps, jobs });
    expect(await world.openJobs()).toEqual([]);
  });

  it('purges histories that are past their retention, once an hour, whoever sweeps', async () => {
    const world = await sweepWorld();
    const sweep = async (ms: number) => {
      world.clock.time += ms;
      await Promise.all([sweepJobs(world.deps), sweepJobs(world.deps)]);
      return world.orchestrations.asked.splice(0).filter((asked) => asked.startsWith('purge'));
    };
    expect(await sweep(0)).toEqual(['purge 2026-01-30T00:00:00.000Z']);
    expect(await sweep(59 * MINUTE)).toEqual([]);
    expect(await sweep(MINUTE)).toEqual(['purge 2026-01-30T01:00:00.000Z']);
  });
});

describe('a job that was accepted', () => {
  it('is started after a minute if nobody did, and once', async () => {
    const world = await sweepWorld();
    expect(await world.sweepAfter(MINUTE - 1)).toEqual([]);
    expect(await world.sweepAfter(1)).toEqual(['start job/1']);
    expect(await world.sweepAfter(MINUTE)).toEqual([]);
    expect(world.lines).toEqual(['warn job job started: its orchestration was absent']);
    expect(await world.run('job')).toMatchObject({ state: 'completed' });
    expect(await world.text('out/predictions.csv')).toBe(numberedOutput(3));
  });

  it('is not taken for stuck when it waited long for its start', async () => {
    const world = await sweepWorld();
    expect(await world.sweepAfter(60 * MINUTE)).toEqual(['start job/1']);
    expect(await world.sweepAfter(MINUTE)).toEqual([]);
    expect(await world.record('job')).toMatchObject({ state: 'accepted' });
  });

  it('is canceled when it was to be cancelled and nobody started it', async () => {
    const world = await sweepWorld();
    await world.deps.jobs.transition('job', (record) => ({ ...record, cancelRequested: true }));
    expect(await world.sweepAfter(MINUTE)).toEqual([]);
    expect(await world.record('job')).toMatchObject({ state: 'canceled' });
    expect(await world.openJobs()).toEqual([]);
  });
});

describe('a job that was started', () => {
  it('has failed when it has no history, and is never run again', async () => {
    const world = await sweepWorld();
    await planned(world, 'job');
    expect(await world.sweepAfter(MINUTE)).toEqual([]);
    expect(await world.record('job')).toMatchObject({ state: 'failed', reason: { code: 'OrchestrationLost' } });
    expect(await world.sweepAfter(MINUTE)).toEqual([]);
    await world.accept('next');
    expect(await world.run('next')).toMatchObject({ state: 'completed' });
  });

  it('has failed when its orchestration ended without saying so', async () => {
    const world = await sweepWorld();
    await world.startedAs(1);
    await planned(world, 'job');
    world.orchestrations.states.set('job/1', 'ended');
    await world.sweepAfter(0);
    expect(await world.record('job')).toMatchObject({ state: 'failed', reason: { code: 'OrchestrationLost' } });
  });

  it('is left alone while its orchestration is suspended, or while it shows life', async () => {
    const world = await sweepWorld();
    await world.startedAs(1);
    await planned(world, 'job');
    world.orchestrations.states.set('job/1', 'suspended');
    expect(await world.sweepAfter(DAY)).toEqual([]);
    world.orchestrations.states.set('job/1', 'active');
    await world.slice('job', 0);
    expect(await world.sweepAfter(2 * MINUTE)).toEqual([]);
    expect(await world.record('job')).toMatchObject({ state: 'scoring' });
  });

  it('is ended before its staged blocks would be gone', async () => {
    const world = await sweepWorld();
    await world.startedAs(1);
    await planned(world, 'job');
    world.orchestrations.states.set('job/1', 'suspended');
    expect(await world.sweepAfter(6 * DAY)).toEqual(['terminate job/1']);
    expect(await world.record('job')).toMatchObject({ state: 'failed', reason: { code: 'OutputExpired' } });
    expect(await world.slice('job', 0)).toMatchObject({ ok: false, reason: { code: 'OutputExpired' } });
  });

  it('is ended when it does not stop within five minutes of its cancellation', async () => {
    const world = await sweepWorld();
    await world.startedAs(1);
    await planned(world, 'job');
    await cancelJob(world.deps, 'job');
    expect(await world.sweepAfter(5 * MINUTE - 1)).toEqual([]);
    expect(await viewJob(world.deps, 'job')).toMatchObject({ status: 'CancelRequested' });
    expect(await world.sweepAfter(1)).toEqual(['terminate job/1']);
    expect(await world.record('job')).toMatchObject({ state: 'canceled', reason: { code: 'Canceled' } });
    expect(await world.text('out/predictions.csv')).toBeUndefined();
  });

  it('is told to stop when whoever cancelled it died before the mark', async () => {
    const world = await sweepWorld();
    await world.startedAs(1);
    await planned(world, 'job');
    await world.deps.jobs.transition('job', (record) => ({ ...record, cancelRequested: true }));
    await world.sweepAfter(0);
    expect(await world.slice('job', 0)).toMatchObject({ ok: false, reason: { code: 'Canceled' } });
  });
});

describe('a job whose fan-in began', () => {
  /** Its fan-in died at the given place. */
  const dying = async (at: 'before' | 'after') => {
    const world = await sweepWorld();
    await world.startedAs(1);
    await planned(world, 'job');
    const lanes = [await world.lane('job', 0)];
    const killed = Promise.reject(new Error('killed'));
    killed.catch(() => undefined);
    const deps =
      at === 'before'
        ? { ...world.deps, files: { ...world.deps.files, plan: () => killed } }
        : { ...world.deps, jobs: { ...world.deps.jobs, transition: dyingTransition(world.deps.jobs.transition) } };
    await expect(commitJob(deps, { job: 'job', execution: 'the-execution', lanes })).rejects.toThrow('killed');
    return { ...world, lanes };
  };

  it.each(['ended', 'failed', 'absent'] as const)(
    'is settled by what lies at its output when it is %s',
    async (state) => {
      const world = await dying('after');
      world.orchestrations.states.set('job/1', state);
      expect(await viewJob(world.deps, 'job')).toMatchObject({ status: 'Finalizing' });
      await world.sweepAfter(0);
      await world.sweepAfter(MINUTE);
      expect(await world.record('job')).toMatchObject({ state: 'committing' });
      await world.sweepAfter(MINUTE);
      expect(await world.record('job')).toMatchObject({ state: 'completed', totals: { rows: 3 } });
      expect(await world.text('out/predictions.csv')).toBe(numberedOutput(3));
    },
  );

  it('has failed when nothing lies there, and a late fan-in writes nothing', async () => {
    const world = await dying('before');
    world.orchestrations.states.set('job/1', 'ended');
    await world.sweepAfter(0);
    expect(await world.commit('job', world.lanes)).toEqual({ state: 'over' });
    await world.sweepAfter(2 * MINUTE);
    expect(await world.record('job')).toMatchObject({ state: 'failed', reason: { code: 'OrchestrationLost' } });
    expect(await world.commit('job', world.lanes)).toEqual({ state: 'failed' });
    expect(await world.text('out/predictions.csv')).toBeUndefined();
  });

  it('writes nothing any more once it was revoked, however far it had got', async () => {
    const world = await sweepWorld();
    await world.startedAs(1);
    await planned(world, 'job');
    const lanes = [await world.lane('job', 0)];
    const receipt: typeof world.deps.files.receipt = async (job, name) => {
      world.orchestrations.states.set('job/1', 'ended');
      await world.sweepAfter(0);
      return world.deps.files.receipt(job, name);
    };
    const slow = { ...world.deps, files: { ...world.deps.files, receipt } };
    expect(await commitJob(slow, { job: 'job', execution: 'the-execution', lanes })).toEqual({ state: 'over' });
    expect(await world.text('out/predictions.csv')).toBeUndefined();
    await world.sweepAfter(2 * MINUTE);
    expect(await world.record('job')).toMatchObject({ state: 'failed' });
  });

  it('is given the time of an activity while its orchestration is active', async () => {
    const world = await dying('before');
    expect(await world.sweepAfter(30 * MINUTE)).toEqual([]);
    expect(await world.sweepAfter(5 * MINUTE)).toEqual(['terminate job/1']);
    await world.sweepAfter(2 * MINUTE);
    expect(await world.record('job')).toMatchObject({ state: 'failed' });
  });
});

type Transition = ReturnType<typeof jobWorld>['deps']['jobs']['transition'];

/** A transition that dies when it would end the job. */
const dyingTransition =
  (transition: Transition): Transition =>
  (name, next) =>
    transition(name, (record): JobRecord | undefined => {
      const moved = next(record);
      if (moved?.state === 'completed') throw new Error('killed');
      return moved;
    });

import { describe, expect, it } from 'vitest';
import { commitJob, type LaneResult } from '../../../shared/steps/commit-job.ts';
import type { JobDeps } from '../../../shared/steps/deps.ts';
import { jobFiles } from '../../../shared/steps/job-files.ts';
import { jobLogChunks } from '../../../shared/steps/job-log-chunks.ts';
import { planJob, takeJob } from '../../../shared/steps/plan-job.ts';
import type { Blobs } from '../../../shared/storage/ports.ts';
import { jobsRegistry } from '../../../shared/storage/registry/jobs.ts';
import { crashes, type When } from '../../support/crashes.ts';
import { jobWorld, runLane, type JobWorld } from '../../support/job-world.ts';

const RUN = { job: 'job', execution: 'the-execution' };
const FATES: readonly When[] = ['dies before', 'dies after', 'fails before', 'fails after'];

/** A job whose process meets its fate at the nth write, whatever that is for; Durable Functions tries its activity again. */
async function runWith(input: Record<string, string>, nth: number, when: When) {
  const fate = crashes();
  const faulty = (blobs: Blobs): Blobs => ({
    ...blobs,
    stageBlock: (...of) => fate.write(() => blobs.stageBlock(...of)),
    commitBlocks: (...of) => fate.write(() => blobs.commitBlocks(...of)),
    remove: (...of) => fate.write(() => blobs.remove(...of)),
  });
  const world = jobWorld({ faulty, table: fate.table, system: fate.blobs });
  await world.put(input);
  await world.accept('job');
  /** Only what is stored goes from one process to the next. */
  const process = (): JobDeps => ({
    ...world.process(),
    jobs: jobsRegistry({ table: world.table, blobs: world.system }),
    files: jobFiles(world.system),
    logs: jobLogChunks(world.system),
  });
  let deps = process();
  const activity = async <T>(step: (deps: JobDeps) => Promise<T>): Promise<T> => {
    try {
      return await step(deps);
    } catch {
      if (when.startsWith('dies')) deps = process();
      fate.restart();
      return step(deps);
    }
  };
  fate.arm(nth, when);
  expect(await activity((now) => takeJob(now, RUN))).toEqual({ over: false });
  expect(await activity((now) => planJob(now, RUN))).toMatchObject({ ok: true, lanes: 1 });
  const lane: LaneResult = await activity((now) => runLane(now, { job: 'job', lane: 0 }, null));
  const end = await activity((now) => commitJob(now, { ...RUN, lanes: [lane] }));
  const writes = fate.writes();
  fate.restart();
  return { world, end, writes };
}

const outcome = async (world: JobWorld) => ({
  record: { ...(await world.record('job')), startedAt: '', endedAt: '', createdAt: '' },
  output: await world.text('out/predictions.csv'),
  errors: await world.text('out/predictions.csv.errors.jsonl'),
});

describe.each([
  ['without errors', { 'in/a.csv': '1\n', 'in/b.csv': '2\n' }],
  ['with errors', { 'in/a.csv': '1\n', 'in/b.csv': 'not csv', 'in/c.csv': '3\n' }],
])('a job %s', (_name, input) => {
  it.each(FATES)('gives the same whatever write its process %s', async (when) => {
    const calm = await runWith(input, Infinity, when);
    const expected = await outcome(calm.world);
    expect(expected).toMatchObject({ record: { state: 'completed' } });
    for (let nth = 1; nth <= calm.writes; nth++) {
      const { world, end } = await runWith(input, nth, when);
      expect({ nth, end, ...(await outcome(world)) }).toEqual({ nth, end: { state: 'completed' }, ...expected });
      // Nothing of it keeps the next job away from the path.
      await world.data.remove({ container: 'data', name: 'out/predictions.csv' });
      await world.accept('next');
      expect(await world.run('next')).toMatchObject({ state: 'completed' });
    }
  });
});

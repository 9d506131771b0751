import { planJob, type PlannedSegment } from '../../shared/steps/plan-job.ts';
import { fakeOrchestrations } from './fake-orchestrations.ts';
import { jobWorld, numbered, runLane } from './job-world.ts';

export const RUN = { job: 'job', execution: 'the-execution' };
export const OUTPUT = 'out/predictions.csv';
export const THREES = { first: 3, others: 3 };

type Options = NonNullable<Parameters<typeof jobWorld>[0]>;

/** A job `job` over so many files of one record, planned three files at a time. */
export async function segmented(files: number, settings = {}, options: Options = {}) {
  const world = jobWorld({ segmentSizes: THREES, ...options });
  await world.put(numbered(files));
  await world.accept('job', settings);
  const orchestrations = fakeOrchestrations();
  await orchestrations.start('job');
  const manifests = async () => {
    const found = [];
    for (let segment = 0, plan; (plan = await world.deps.files.findPlan('job', segment)); segment++)
      found.push(plan.manifest);
    return found;
  };
  return { ...world, deps: { ...world.deps, orchestrations }, manifests };
}

export type SegmentedWorld = Awaited<ReturnType<typeof segmented>>;

export async function plan({ deps }: SegmentedWorld, segment?: number, generation?: number): Promise<PlannedSegment> {
  const parts = { ...(segment !== undefined && { segment }), ...(generation !== undefined && { generation }) };
  const planned = await planJob(deps, { ...RUN, ...parts });
  if (!planned.ok) throw new Error(planned.reason.message);
  return planned;
}

/** Plans segments and scores their lanes, until so many are scored; the last one that is answered is planned only. */
export async function scored(world: SegmentedWorld, segments: number): Promise<PlannedSegment> {
  await world.take('job');
  let planned = await plan(world);
  for (let segment = 0; segment < segments; segment++) {
    const { lanes, firstLane = 0 } = planned;
    const part = segment === 0 ? {} : { segment };
    for (let lane = firstLane; lane < firstLane + lanes; lane++)
      await runLane(world.deps, { job: 'job', lane, ...part }, null);
    planned = await plan(world, segment + 1);
  }
  return planned;
}

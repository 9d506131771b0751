import { z } from 'zod';
import { JobFault } from '../domain/errors.ts';
import { generationOf, isEnded, Reason, type JobRecord, type Totals } from '../domain/job.ts';
import { BrokenChain, walkChain, type Linked, type Receipt } from '../domain/receipts.ts';
import { laneOf, startAfter, startOf } from '../domain/segments.ts';
import { commitErrors, commitOutput, stageHeader } from './commit-files.ts';
import { checkOutputFiles, commitOutputFiles } from './commit-output-files.ts';
import type { JobDeps } from './deps.ts';
import { ACCESS_ENDED } from './identity/delegations.ts';
import { writtenUri } from './job-address.ts';
import type { Plan } from './job-files.ts';
import { reachedBy } from './lane-reached.ts';
import { rowOf, withSegment, type ChainOf, type LinkedSegments } from './link-segments.ts';
import { thresholdReason } from './score-range.ts';
import { endJob } from './settle-job.ts';

/** What a lane's orchestration answers: never an exception, because its siblings still run (B1). */
export const LaneResult = z.object({ ok: z.boolean(), receipt: z.string().nullable(), reason: Reason.nullable() });
export type LaneResult = z.infer<typeof LaneResult>;

export const CommitInput = z.object({
  job: z.string(),
  execution: z.string(),
  /** Of one segment: the last that was scored. All lanes of the segments before it have ended well. */
  lanes: z.array(LaneResult),
  /** Which one; absent for the first. */
  segment: z.number().optional(),
  /** Why the rest of the input could not be planned. */
  reason: Reason.optional(),
});
export type CommitInput = z.infer<typeof CommitInput>;

/** How the job ended; `over`: another execution or generation has it. */
export const CommitAnswer = z.object({ state: z.enum(['completed', 'failed', 'canceled', 'over']) });
export type CommitAnswer = z.infer<typeof CommitAnswer>;

/**
 * The fan-in: walks every lane's receipts, commits the errors file and then, if the job may succeed, the output, in input
 * order and in one request. Of a job that failed only the errors file appears. A repeat answers how the job ended.
 */
export async function commitJob(deps: JobDeps, input: CommitInput): Promise<CommitAnswer> {
  const { job, execution, lanes } = input;
  const committingAt = new Date(deps.clock.now()).toISOString();
  const record = await deps.jobs.transition(job, (current) =>
    current.state === 'scoring' && current.execution === execution
      ? ({ ...current, state: 'committing', committingAt } satisfies JobRecord)
      : undefined,
  );
  if (!record) throw new Error(`job ${job} is gone`);
  if (isEnded(record)) return { state: record.state };
  if (!isCommittedBy(record, execution)) return { state: 'over' };
  const generation = generationOf(record);
  const plan = await deps.files.plan(job);
  let totals: Totals | null = null;
  let linked: Linked | undefined;
  let errorsUri: string | null = null;
  let stopped: Reason | undefined;
  try {
    const [stop, segments] = await Promise.all([deps.jobs.stopped(job, generation), linkLanes(deps, input)]);
    stopped = stop;
    ({ linked } = segments);
    totals = { files: segments.files, ...linked.tallies };
    const reason = stopped ?? lanes.find((lane) => !lane.ok)?.reason ?? input.reason ?? verdict(plan, segments);
    if (!reason) await checkOutputFiles(deps, plan, linked);
    const [uri, header] = await Promise.all([
      commitErrors(deps, plan, linked, 'whole'),
      reason ? [] : stageHeader(deps, plan, linked),
    ]);
    errorsUri = uri;
    if (reason)
      return { state: await endJob(deps, job, generation, { reason, totals, failures: linked.failures, errorsUri }) };
    // The sweeper may have given the job up meanwhile: then it must find that nothing appears any more.
    const isStillOurs = async () => isCommittedBy((await deps.jobs.get(job))?.value, execution);
    if (!(await isStillOurs())) return { state: 'over' };
    if (linked.files.length > 0) {
      await commitOutputFiles(deps, plan, linked);
      if (!(await isStillOurs())) return { state: 'over' };
    }
    await commitOutput(deps, plan, { linked, header, totals }, 'whole');
  } catch (error) {
    const fault = commitFault(error);
    if (!fault) throw error;
    // A cancelled job's access was ended with it: that it was cancelled is why.
    const reason = fault.code === ACCESS_ENDED ? (stopped ?? fault) : fault;
    const failures = linked?.failures ?? [];
    return { state: await endJob(deps, job, generation, { reason, totals, failures, errorsUri }) };
  }
  return {
    state: await endJob(
      deps,
      job,
      generation,
      {
        outputUri: await writtenUri(deps, plan.manifest.output),
        errorsUri,
        totals,
        failures: linked.failures,
      },
      record,
    ),
  };
}

const isCommittedBy = (record: JobRecord | undefined, execution: string): boolean =>
  record?.state === 'committing' && record.execution === execution;

/** Every lane's chain; one that was stopped on its way may end anywhere, and then nothing behind its segment counts. */
async function linkLanes(deps: JobDeps, input: CommitInput): Promise<LinkedSegments> {
  const { job, lanes: results, segment = 0, reason } = input;
  const rows = segment > 0 ? await deps.jobs.progress(job) : [];
  const whole: ChainOf = async (plan, lane) => {
    const reached = await reachedBy(deps, plan, lane, rowOf(rows, lane));
    if (reached?.position !== laneOf(plan.manifest, lane).to) throw new BrokenChain(lane, 'its end has no receipt');
    return reached.chain;
  };
  let plan = await deps.files.plan(job);
  let linked: LinkedSegments | undefined;
  for (let index = 0; index < segment; index++) {
    linked = await withSegment(linked, plan, whole);
    plan = await deps.files.plan(job, index + 1);
  }
  linked = await withSegment(linked, plan, (_, lane) => answered(deps, plan, lane, results));
  const { filesDone, filesFailed } = linked.linked.tallies;
  if (reason || !results.every((result) => result.ok)) return linked;
  if (plan.manifest.next && (await deps.files.plan(job, segment + 1)).manifest.lanes.length > 0)
    throw new BrokenChain(startAfter(plan.manifest).lanes, 'nobody scored it');
  if (filesDone + filesFailed !== linked.files)
    throw new BrokenChain(0, `${filesDone} files done and ${filesFailed} failed do not account for ${linked.files}`);
  return linked;
}

/** The chain of a lane by its answer. */
async function answered(
  deps: JobDeps,
  { manifest, hash }: Plan,
  lane: number,
  results: readonly LaneResult[],
): Promise<readonly Receipt[]> {
  const { job } = manifest;
  const cut = laneOf(manifest, lane);
  const result = results[lane - startOf(manifest).lanes];
  if (!result) throw new BrokenChain(lane, 'the lane gave no answer');
  if (result.receipt === null) {
    if (result.ok) throw new BrokenChain(lane, 'the lane has no receipt');
    return [];
  }
  const expected = { job, plan: hash, lane, from: cut.from };
  return walkChain(result.ok ? { ...expected, end: cut.to } : expected, result.receipt, (name) =>
    deps.files.receipt(job, name),
  );
}

/** Why a job whose lanes all ended well still fails. */
function verdict({ manifest }: Plan, { linked: { tallies, failures }, files }: LinkedSegments): Reason | undefined {
  const { errorThreshold } = manifest.settings;
  if (errorThreshold >= 0 && tallies.filesFailed > errorThreshold)
    return thresholdReason(tallies.filesFailed, errorThreshold);
  // A file of which a range failed is no finished file, but its other ranges are in the output.
  if (tallies.filesDone > 0 || tallies.rows > 0) return undefined;
  const first = failures[0];
  return {
    code: 'NothingSucceeded',
    message: `There is no succeeded mini batch item returned from run(): all ${files} files failed.${first ? ` The first: ${first.file}: ${first.reason}` : ''}`,
  };
}

/** Why the fan-in of a job fails for good; undefined for a fault that a retry may mend. */
export function commitFault(error: unknown): Reason | undefined {
  if (error instanceof JobFault) return { code: error.code, message: error.message };
  if (error instanceof BrokenChain) return { code: 'ReceiptsBroken', message: error.message };
  return undefined;
}

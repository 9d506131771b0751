import { z } from 'zod';
import { JobFault } from '../domain/errors.ts';
import { generationOf, isEnded, Reason, type JobRecord, type Totals } from '../domain/job.ts';
import { BrokenChain, link, walkChain, type Linked, type Receipt } from '../domain/receipts.ts';
import { commitErrors, commitOutput } from './commit-files.ts';
import { checkOutputFiles, commitOutputFiles } from './commit-output-files.ts';
import type { JobDeps } from './deps.ts';
import { writtenUri } from './job-address.ts';
import { ACCESS_ENDED } from './identity/delegations.ts';
import type { Plan } from './job-files.ts';
import { thresholdReason } from './score-range.ts';
import { endJob } from './settle-job.ts';

/** What a lane's orchestration answers: never an exception, because its siblings still run (B1). */
export const LaneResult = z.object({ ok: z.boolean(), receipt: z.string().nullable(), reason: Reason.nullable() });
export type LaneResult = z.infer<typeof LaneResult>;

export const CommitInput = z.object({ job: z.string(), execution: z.string(), lanes: z.array(LaneResult) });
export type CommitInput = z.infer<typeof CommitInput>;

/** How the job ended; `over`: another execution or generation has it. */
export const CommitAnswer = z.object({ state: z.enum(['completed', 'failed', 'canceled', 'over']) });
export type CommitAnswer = z.infer<typeof CommitAnswer>;

/**
 * The fan-in: walks every lane's receipts, commits the errors file and then, if the job may succeed, the output, in input
 * order and in one request. Of a job that failed only the errors file appears. A repeat answers how the job ended.
 */
export async function commitJob(deps: JobDeps, { job, execution, lanes }: CommitInput): Promise<CommitAnswer> {
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
  const stopped = await deps.jobs.stopped(job, generation);

  const plan = await deps.files.plan(job);
  let totals: Totals | null = null;
  let linked: Linked | undefined;
  let errorsUri: string | null = null;
  try {
    linked = await linkLanes(deps, plan, lanes);
    totals = { files: plan.manifest.files.length, ...linked.tallies };
    const reason = stopped ?? lanes.find((lane) => !lane.ok)?.reason ?? verdict(plan, linked);
    if (!reason) await checkOutputFiles(deps, plan, linked);
    errorsUri = await commitErrors(deps, plan, linked, 'whole');
    if (reason)
      return { state: await endJob(deps, job, generation, { reason, totals, failures: linked.failures, errorsUri }) };
    // The sweeper may have given the job up meanwhile: then it must find that nothing appears any more.
    const isStillOurs = async () => isCommittedBy((await deps.jobs.get(job))?.value, execution);
    if (!(await isStillOurs())) return { state: 'over' };
    if (linked.files.length > 0) {
      await commitOutputFiles(deps, plan, linked);
      if (!(await isStillOurs())) return { state: 'over' };
    }
    await commitOutput(deps, plan, linked, totals, 'whole');
  } catch (error) {
    const fault = commitFault(error);
    if (!fault) throw error;
    // A cancelled job's access was ended with it: that it was cancelled is why.
    const reason = fault.code === ACCESS_ENDED ? (stopped ?? fault) : fault;
    const failures = linked?.failures ?? [];
    return { state: await endJob(deps, job, generation, { reason, totals, failures, errorsUri }) };
  }
  return {
    state: await endJob(deps, job, generation, {
      outputUri: await writtenUri(deps, plan.manifest.output),
      errorsUri,
      totals,
      failures: linked.failures,
    }),
  };
}

const isCommittedBy = (record: JobRecord | undefined, execution: string): boolean =>
  record?.state === 'committing' && record.execution === execution;

/** Every lane's chain; one that was stopped on its way may end anywhere. */
async function linkLanes(deps: JobDeps, plan: Plan, results: readonly LaneResult[]): Promise<Linked> {
  const { job, lanes } = plan.manifest;
  const read = (name: string): Promise<Receipt | undefined> => deps.files.receipt(job, name);
  const chains = await Promise.all(
    lanes.map(async (lane, index) => {
      const result = results[index];
      if (!result) throw new BrokenChain(index, 'the lane gave no answer');
      if (result.receipt === null) {
        if (result.ok) throw new BrokenChain(index, 'the lane has no receipt');
        return [];
      }
      const expected = { job, plan: plan.hash, lane: index, from: lane.from };
      return walkChain(result.ok ? { ...expected, end: lane.to } : expected, result.receipt, read);
    }),
  );
  const linked = link(chains, plan.manifest.files);
  const { filesDone, filesFailed } = linked.tallies;
  if (results.every((result) => result.ok) && filesDone + filesFailed !== plan.manifest.files.length)
    throw new BrokenChain(
      0,
      `${filesDone} files done and ${filesFailed} failed do not account for ${plan.manifest.files.length}`,
    );
  return linked;
}

/** Why a job whose lanes all ended well still fails. */
function verdict({ manifest }: Plan, { tallies, failures }: Linked): Reason | undefined {
  const { errorThreshold } = manifest.settings;
  if (errorThreshold >= 0 && tallies.filesFailed > errorThreshold)
    return thresholdReason(tallies.filesFailed, errorThreshold);
  // A file of which a range failed is no finished file, but its other ranges are in the output.
  if (tallies.filesDone > 0 || tallies.rows > 0) return undefined;
  const first = failures[0];
  return {
    code: 'NothingSucceeded',
    message: `There is no succeeded mini batch item returned from run(): all ${manifest.files.length} files failed.${first ? ` The first: ${first.file}: ${first.reason}` : ''}`,
  };
}

/** Why the fan-in of a job fails for good; undefined for a fault that a retry may mend. */
export function commitFault(error: unknown): Reason | undefined {
  if (error instanceof JobFault) return { code: error.code, message: error.message };
  if (error instanceof BrokenChain) return { code: 'ReceiptsBroken', message: error.message };
  return undefined;
}

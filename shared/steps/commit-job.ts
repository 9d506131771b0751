import { z } from 'zod';
import { blockId } from '../domain/blocks.ts';
import { JobFault } from '../domain/errors.ts';
import { generationOf, isEnded, Reason, type JobRecord, type Totals } from '../domain/job.ts';
import { BrokenChain, link, walkChain, type Linked, type Receipt } from '../domain/receipts.ts';
import { dataUri } from '../domain/uri.ts';
import { headerLine } from '../formats/csv-encoder.ts';
import { commitBlob, TOTALS_MARK } from './commit-blob.ts';
import { datastoreOf, type JobDeps } from './deps.ts';
import type { Plan } from './job-files.ts';
import { isStale } from './errors-file.ts';
import { ERRORS_MARK } from './list-input.ts';
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
    errorsUri = await commitErrors(deps, plan, linked);
    const reason = stopped ?? lanes.find((lane) => !lane.ok)?.reason ?? verdict(plan, linked);
    if (reason)
      return { state: await endJob(deps, job, generation, { reason, totals, failures: linked.failures, errorsUri }) };
    // The sweeper may have given the job up meanwhile: then it must find that nothing appears any more.
    if (!isCommittedBy((await deps.jobs.get(job))?.value, execution)) return { state: 'over' };
    await commitOutput(deps, plan, linked, totals);
  } catch (error) {
    const reason = commitFault(error);
    if (!reason) throw error;
    const failures = linked?.failures ?? [];
    return { state: await endJob(deps, job, generation, { reason, totals, failures, errorsUri }) };
  }
  const { output } = plan.manifest;
  return {
    state: await endJob(deps, job, generation, {
      outputUri: dataUri({ datastore: output.datastore, path: output.blob }),
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
  const linked = link(chains);
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
  if (tallies.filesDone > 0) return undefined;
  const first = failures[0];
  return {
    code: 'NothingSucceeded',
    message: `There is no succeeded mini batch item returned from run(): all ${manifest.files.length} files failed.${first ? ` The first: ${first.file}: ${first.reason}` : ''}`,
  };
}

/** Answers where the errors are; null when there are none, and then none of an earlier job stay beside this one's output. */
async function commitErrors(deps: JobDeps, { manifest }: Plan, { errors }: Linked): Promise<string | null> {
  const target = manifest.errors;
  const { blobs } = datastoreOf(deps, target.datastore);
  if (errors.length === 0) {
    const ref = { container: target.container, name: target.blob };
    const stale = await blobs.head(ref);
    if (stale && (await isStale(deps, stale.metadata))) await blobs.remove(ref, { ifMatch: stale.etag });
    return null;
  }
  await commitBlob({
    blobs,
    target,
    job: manifest.job,
    blockIds: errors.map((block) => block.id),
    contentType: 'application/jsonl',
    metadata: { [ERRORS_MARK]: 'true' },
    // A failed job leaves its errors file on a path whose output stayed absent; the next job there may replace it.
    mayReplace: (metadata) => isStale(deps, metadata),
  });
  return dataUri({ datastore: target.datastore, path: target.blob });
}

async function commitOutput(deps: JobDeps, { manifest }: Plan, linked: Linked, totals: Totals): Promise<void> {
  const { blobs } = datastoreOf(deps, manifest.output.datastore);
  const header = new TextEncoder().encode(headerLine(linked.columns ?? [], manifest.extensions.outputFormat));
  const blocks = linked.output.map((block) => block.id);
  if (header.length > 0) {
    // The same id and bytes at every try: the list's hash must not change.
    const id = blockId(manifest.job, manifest.lanes.length, 'header', 0);
    await blobs.stageBlock({ container: manifest.output.container, name: manifest.output.blob }, id, header);
    blocks.unshift(id);
  }
  await commitBlob({
    blobs,
    target: manifest.output,
    job: manifest.job,
    blockIds: blocks,
    contentType: 'text/csv; charset=utf-8',
    metadata: { [TOTALS_MARK]: JSON.stringify(totals), batchpoint_complete: 'true' },
  });
}

function commitFault(error: unknown): Reason | undefined {
  if (error instanceof JobFault) return { code: error.code, message: error.message };
  if (error instanceof BrokenChain) return { code: 'ReceiptsBroken', message: error.message };
  return undefined;
}

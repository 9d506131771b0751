import { conflict, notFound } from '../domain/errors.ts';
import { isEnded, type StoppedJob, type Totals } from '../domain/job.ts';
import { commitErrors, commitOutput, stageHeader } from './commit-files.ts';
import { reservationOf } from './claim-output.ts';
import { checkOutputFiles, commitOutputFiles } from './commit-output-files.ts';
import { commitFault } from './commit-job.ts';
import type { JobDeps } from './deps.ts';
import { writtenUri } from './job-address.ts';
import type { Plan } from './job-files.ts';
import { viewJob, type JobView, type ViewDeps } from './job-view.ts';
import { reachedBy } from './lane-reached.ts';
import { rowOf, withSegment, type ChainOf, type LinkedSegments } from './link-segments.ts';
import { committedOutput, releaseOutput, type CommittedOutput } from './settle-job.ts';

/** Storage drops uncommitted blocks a week after the last one was staged. */
const WITHIN_DAYS = 7;

/**
 * Commits what a failed or cancelled job had finished, in input order, with metadata `batchpoint_complete=false`. The job stays
 * failed or cancelled; its record gets the totals and the output. A repeat answers the same. Throws ApiError 404, or 409 with
 * the reason when there is nothing to salvage.
 */
export async function salvageJob(deps: JobDeps & ViewDeps, name: string): Promise<JobView> {
  const record = (await deps.jobs.get(name))?.value;
  if (!record) throw notFound(`There is no job '${name}'.`);
  if (!isEnded(record)) throw conflict(`Job '${name}' has not ended; cancel it before its finished part is salvaged.`);
  if (record.state === 'completed') throw conflict(`Job '${name}' is completed: its output is whole.`);
  if (record.outputUri === undefined) {
    const salvaged = await salvage(deps, record);
    await deps.jobs.amend(name, (current) => (current.outputUri === undefined ? { ...current, ...salvaged } : current));
    deps.log.info({ job: name, ...salvaged.totals }, 'job salvaged');
  }
  const view = await viewJob(deps, name);
  if (!view) throw notFound(`There is no job '${name}'.`);
  return view;
}

async function salvage(deps: JobDeps, { name, endedAt }: StoppedJob): Promise<CommittedOutput> {
  const days = (deps.clock.now() - Date.parse(endedAt)) / 86_400_000;
  if (days > WITHIN_DAYS)
    throw conflict(
      `Job '${name}' ended more than ${WITHIN_DAYS} days ago: storage has dropped what it had not committed.`,
    );
  const plan = await deps.files.findPlan(name);
  if (!plan) throw nothing(name);
  if (plan.manifest.delegation !== undefined)
    throw conflict(`Job '${name}' ran as its invoker, whose access ended with it: nothing can be salvaged.`);
  const there = await committedOutput(deps, name);
  if (there) return there;
  await reserve(deps, plan);
  try {
    return await commitFinished(deps, plan);
  } catch (error) {
    const fault = commitFault(error);
    if (!fault) throw error;
    // Another call, with other receipts, may have been first.
    const first = await committedOutput(deps, name);
    if (!first) throw conflict(`Job '${name}' cannot be salvaged. ${fault.message}`);
    return first;
  } finally {
    await releaseOutput(deps, name);
  }
}

const nothing = (name: string) => conflict(`Job '${name}' had finished nothing that could be salvaged.`);

/** A job that runs now may hold the path. */
async function reserve(deps: JobDeps, { manifest }: Plan): Promise<void> {
  for (const target of [manifest.output, manifest.errors]) {
    const holder = await deps.jobs.reserve(await reservationOf(deps, target), manifest.job);
    if (holder !== manifest.job)
      throw conflict(`Job '${manifest.job}' cannot be salvaged while job ${holder} writes to ${target.blob}.`);
  }
}

async function commitFinished(deps: JobDeps, plan: Plan): Promise<CommittedOutput> {
  const { manifest } = plan;
  const { linked, files } = await linkFinished(deps, plan);
  if (linked.tallies.filesDone === 0 && linked.tallies.rows === 0) throw nothing(manifest.job);
  const totals: Totals = { files, ...linked.tallies };
  await checkOutputFiles(deps, plan, linked);
  const [errorsUri, header] = await Promise.all([
    commitErrors(deps, plan, linked, 'part'),
    stageHeader(deps, plan, linked),
  ]);
  await commitOutputFiles(deps, plan, linked);
  await commitOutput(deps, plan, { linked, header, totals }, 'part');
  return { outputUri: await writtenUri(deps, manifest.output), errorsUri, totals };
}

/** Every lane of every segment that was planned, as far as its receipts go. */
async function linkFinished(deps: JobDeps, first: Plan): Promise<LinkedSegments> {
  const { job } = first.manifest;
  const rows = await deps.jobs.progress(job);
  const finished: ChainOf = async (plan, lane) => (await reachedBy(deps, plan, lane, rowOf(rows, lane)))?.chain ?? [];
  let segments = await withSegment(undefined, first, finished);
  for (let segment = 1; ; segment++) {
    const plan = await deps.files.findPlan(job, segment);
    if (!plan) return segments;
    segments = await withSegment(segments, plan, finished);
  }
}

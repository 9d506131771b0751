import { blockId } from '../domain/blocks.ts';
import { JobFault } from '../domain/errors.ts';
import type { Target } from '../domain/plan.ts';
import { StorageFault } from '../storage/ports.ts';
import { datastoreOf, type JobDeps } from './deps.ts';
import { isStale } from './errors-file.ts';
import { outputBlobs, type RunsAs } from './job-storage.ts';
import { watchesOver } from './watched-deployments.ts';

/** An output that a deployment watches would start a job, whose output might start another (S4.5). */
async function refuseWatched(deps: JobDeps, output: Target, errors: Target): Promise<void> {
  const [watch] = await watchesOver(deps, output.datastore, output.blob, errors.blob);
  if (!watch) return;
  throw new JobFault(
    'OutputWatched',
    `Deployment '${watch.deployment}' of endpoint '${watch.endpoint}' watches the output path: ${output.blob} in datastore ${output.datastore}. Give another path.`,
  );
}

/**
 * Output and errors file must be watched by nobody, absent and ours alone among this app's jobs, and the output's path free of a
 * stranger's staged blocks (S1.2, S1.6). Nothing is staged for errors before there are any: blocks that nobody commits would lie there for a week.
 */
export async function claimOutput(
  deps: JobDeps,
  as: RunsAs,
  { output, errors }: { readonly output: Target; readonly errors: Target },
): Promise<void> {
  await Promise.all([
    refuseWatched(deps, output, errors),
    requireAbsent(deps, as, output),
    requireAbsent(deps, as, errors),
    hold(deps, as, output),
  ]);
  // Behind the output's: of two jobs that want both paths, one gets both.
  await Promise.all([hold(deps, as, errors), probe(deps, as, output)]);
}

const shown = ({ blob, datastore }: Target): string => `${blob} in datastore ${datastore}`;

async function requireAbsent(deps: JobDeps, as: RunsAs, target: Target): Promise<void> {
  const blobs = await outputBlobs(deps, as, target.datastore);
  const there = await blobs.head({ container: target.container, name: target.blob });
  if (there && !(await isStale(deps, there.metadata)))
    throw new JobFault(
      'OutputExists',
      `The output path already exists: ${shown(target)}. Give another path or file name.`,
    );
}

async function hold(deps: JobDeps, { job }: RunsAs, target: Target): Promise<void> {
  const holder = await deps.jobs.reserve(await reservationOf(deps, target), job);
  if (holder !== job)
    throw new JobFault('OutputReserved', `Job ${holder} is writing to the same output path: ${shown(target)}.`);
}

async function probe(deps: JobDeps, as: RunsAs, { datastore, container, blob }: Target): Promise<void> {
  const blobs = await outputBlobs(deps, as, datastore);
  try {
    await blobs.stageBlock({ container, name: blob }, blockId(as.job, 0, 'probe', 0), PROBE);
  } catch (error) {
    if (!(error instanceof StorageFault && error.code === 'InvalidBlobOrBlock')) throw error;
    throw new JobFault(
      'OutputBlocked',
      `Another writer has staged blocks on the output path ${blob}. Give another path or file name.`,
    );
  }
}

const PROBE = new TextEncoder().encode('A probe of this path, never committed.');

/** Outputs are reserved by their canonical address, by whichever name and with whosever rights it is reached. */
export async function reservationOf(
  deps: Pick<JobDeps, 'datastores'>,
  { datastore, container, blob }: Target,
): Promise<string> {
  const { address } = await datastoreOf(deps, datastore);
  return `${address.endpoint}/${container}/${blob}`;
}

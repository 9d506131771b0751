import { JobFault } from '../domain/errors.ts';
import { mapBounded } from '../domain/map-bounded.ts';
import { besideOutput } from '../domain/plan.ts';
import type { Linked } from '../domain/receipts.ts';
import { commitBlob } from './commit-blob.ts';
import type { JobDeps } from './deps.ts';
import type { Plan } from './job-files.ts';
import { outputBlobs } from './job-storage.ts';
import { checkAbsent } from './stage-output-files.ts';
import { watchesOver } from './watched-deployments.ts';

/** Requests on their way at once. */
const WIDTH = 16;

/** Names looked up at once: they travel as arguments. */
const NAMES = 10_000;

/** Looks whether the files that a user's code wrote can all be committed, before anything is. Throws JobFault. */
export async function checkOutputFiles(deps: JobDeps, { manifest }: Plan, { files }: Linked): Promise<void> {
  if (files.length === 0) return;
  const { job, output } = manifest;
  const blobs = await outputBlobs(deps, manifest, output.datastore);
  const targets = files.map(({ path }) => besideOutput(output, path));
  for (let from = 0; from < targets.length; from += NAMES) {
    const blobs = targets.slice(from, from + NAMES).map(({ blob }) => blob);
    const [watch] = await watchesOver(deps, output.datastore, ...blobs);
    if (!watch) continue;
    throw new JobFault(
      'OutputWatched',
      `Deployment '${watch.deployment}' of endpoint '${watch.endpoint}' watches where the code's files go: ${output.blob} in datastore ${output.datastore}. Give another path.`,
    );
  }
  await mapBounded(targets, WIDTH, (target) => checkAbsent(blobs, job, target));
}

/** Commits them, each under its own name. The job's output comes after them, as the sign that all is there. Throws JobFault. */
export async function commitOutputFiles(deps: JobDeps, { manifest }: Plan, { files }: Linked): Promise<void> {
  const blobs = await outputBlobs(deps, manifest, manifest.output.datastore);
  await mapBounded(files, WIDTH, ({ path, blocks }) =>
    commitBlob({
      blobs,
      target: besideOutput(manifest.output, path),
      job: manifest.job,
      blockIds: blocks.map((block) => block.id),
      contentType: 'application/octet-stream',
    }),
  );
}

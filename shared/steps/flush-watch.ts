import { triggerCaller } from '../auth/caller.ts';
import { sha256 } from '../domain/blocks.ts';
import { ApiError } from '../domain/errors.ts';
import { InvocationBody } from '../domain/invocation.ts';
import type { InputList } from '../domain/plan.ts';
import { BLOB_FLUSH_QUEUE } from '../domain/queue-names.ts';
import { readMessage } from '../domain/queue-message.ts';
import { dataUri } from '../domain/uri.ts';
import { folderKey, WatchedFolder } from '../domain/watch.ts';
import type { Hold } from '../storage/registry/watch-events.ts';
import { invokeEndpoint, jobName } from './invoke-endpoint.ts';
import { orPoison } from './or-poison.ts';
import { submitJob } from './submit-job.ts';
import type { TriggerDeps } from './trigger-deps.ts';

/** Who makes the jobs of a watch: no token's subject looks like this. */
const SUBJECT = 'batchpoint:watch';

/** Files of one job; what waits beyond makes another. */
const MAX_FILES = 10_000;

/** When a flush comes back that found another at work. */
const RETRY_SECONDS = 5;

/** Asks for a flush of what waits in a folder. */
export const sendFlush = (
  { queue }: Pick<TriggerDeps, 'queue'>,
  { endpoint, deployment, datastore, prefix }: WatchedFolder,
  delaySeconds: number,
): Promise<void> =>
  queue(BLOB_FLUSH_QUEUE).send(
    JSON.stringify({ endpoint, deployment, datastore, prefix } satisfies WatchedFolder),
    delaySeconds,
  );

/**
 * Serves a message of the queue `blob-flush`: makes a job of all blob versions that wait in a watched folder. One flush of a
 * folder works at a time; another one comes back later. A flush that finds nothing ends. Where no job can be made the message
 * goes to poison, and the versions go on waiting for the folder's next flush.
 */
export const flushWatch = (deps: TriggerDeps, message: unknown): Promise<void> =>
  orPoison(deps, BLOB_FLUSH_QUEUE, message, async () => {
    const folder = readMessage(WatchedFolder, message);
    while ((await deps.events.count(folder, 1)) > 0) {
      const hold = await deps.events.hold(folder);
      if (!hold || !(await flushHeld(deps, folder, hold))) {
        await sendFlush(deps, folder, RETRY_SECONDS);
        return;
      }
    }
  });

/** Finishes the job that a dead holder began, or makes one. False when the hold was lost to another meanwhile. */
async function flushHeld(deps: TriggerDeps, folder: WatchedFolder, taken: Hold): Promise<boolean> {
  const hold = taken.job === null ? await gather(deps, folder, taken) : taken;
  if (!hold) return false;
  try {
    if (hold.job !== null) await makeJob(deps, folder, hold.job);
  } catch (error) {
    // Refused: there is no such job. After any other fault there may be one, and the hold goes on naming it.
    if (error instanceof ApiError) await deps.events.release(folder, hold);
    throw error;
  }
  await deps.events.forget(folder);
  await deps.events.release(folder, hold);
  return true;
}

/** Stores the list of what waits under its job's name and notes the job in the hold. Nothing waits: the hold as it was. */
async function gather(deps: TriggerDeps, folder: WatchedFolder, hold: Hold): Promise<Hold | undefined> {
  const waiting = await deps.events.waiting(folder, MAX_FILES);
  if (waiting.length === 0) return hold;
  const list = waiting.sort((a, b) => compare(a.blob, b.blob) || compare(a.etag, b.etag));
  const job = jobName(requestIdOf(folder, list), folder.endpoint, SUBJECT);
  await deps.files.writeInput(job, list);
  return deps.events.journal(folder, hold, job);
}

/** Makes and starts the job of a stored list and notes that its versions have their job. Throws ApiError when none can be made. */
async function makeJob(deps: TriggerDeps, folder: WatchedFolder, job: string): Promise<void> {
  const list = await deps.files.input(job);
  const made = await deps.jobs.spec(job);
  if (made) await submitJob(deps, made);
  else await invokeEndpoint(deps, { ...invocationOf(deps, folder), requestId: requestIdOf(folder, list) });
  await deps.events.settle(folder, list);
  deps.log.info({ job, files: list.length, ...folder }, 'watched blobs have their job');
}

/** A job of a watch is named by what it reads: the same versions are the same job. */
const requestIdOf = (folder: WatchedFolder, list: InputList): string =>
  sha256(JSON.stringify([folderKey(folder), list]));

function invocationOf({ grants }: TriggerDeps, { endpoint, deployment, datastore, prefix }: WatchedFolder) {
  const watched = { jobInputType: 'UriFolder', uri: dataUri({ datastore, path: prefix }) };
  const { properties: invocation } = InvocationBody.parse({ properties: { inputData: { watched } } });
  const caller = triggerCaller(SUBJECT, grants);
  return { endpoint, deployment, invocation, caller, listedInput: true } as const;
}

const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

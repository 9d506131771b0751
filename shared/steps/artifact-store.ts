import { childRunOf } from '../domain/child-run.ts';
import { messageOf } from '../domain/errors.ts';
import { ARTIFACT_RUNS, ARTIFACT_STORE, CHILD_LOG, PARENT_LOG } from '../domain/log-files.ts';
import { StorageFault } from '../storage/ports.ts';
import type { Datastore, JobDeps } from './deps.ts';

/** Its container, as in Azure ML; in the account of the default datastore. */
const ARTIFACT_CONTAINER = 'azureml';

/** A datastore as the app's settings name it. */
interface NamedContainer {
  readonly name: string;
  readonly connection: string;
  readonly container: string;
}

/** The artifact store beside the datastores of the settings, the first of which is the default; unless they name one. */
export function withArtifactStore(datastores: readonly NamedContainer[]): readonly NamedContainer[] {
  const [first] = datastores;
  if (!first || datastores.some(({ name }) => name.toLowerCase() === ARTIFACT_STORE)) return datastores;
  return [...datastores, { ...first, name: ARTIFACT_STORE, container: ARTIFACT_CONTAINER }];
}

/** Puts a copy of a job's log where downloads of the job and of its child run find it. A fault costs the copy, not the job. */
export const keepLog = (deps: JobDeps, job: string): Promise<void> =>
  keepLogAs(deps, job, [
    { run: job, file: PARENT_LOG },
    { run: childRunOf(job), file: CHILD_LOG },
  ]);

/** The same of a log that one run printed, under the runs and file names that clients look for. */
export async function keepLogAs(
  deps: Pick<JobDeps, 'datastores' | 'logs' | 'log'>,
  log: string,
  places: readonly { readonly run: string; readonly file: string }[],
): Promise<void> {
  const store = await deps.datastores.find(ARTIFACT_STORE);
  if (!store) return;
  try {
    const text = await deps.logs.readOwn(log);
    await Promise.all(places.map(({ run, file }) => writeArtifact(store, `${ARTIFACT_RUNS}dcid.${run}/${file}`, text)));
  } catch (error) {
    deps.log.warn({ log, error: messageOf(error) }, 'a log could not be copied into the artifact store');
  }
}

async function writeArtifact({ blobs, address }: Datastore, name: string, text: Uint8Array): Promise<void> {
  const write = () =>
    blobs.write({ container: address.container, name }, text, { contentType: 'text/plain; charset=utf-8' });
  try {
    await write();
  } catch (error) {
    if (!(error instanceof StorageFault) || error.code !== 'ContainerNotFound') throw error;
    await blobs.ensureContainer(address.container);
    await write();
  }
}

import type { Blobs } from '../storage/ports.ts';
import { datastoreOf, type JobDeps } from './deps.ts';

/** As whom a job reads and writes: the app, or its invoker by the delegation of this id. */
export interface RunsAs {
  readonly job: string;
  readonly delegation?: string | undefined;
}

type StorageDeps = Pick<JobDeps, 'datastores' | 'delegations'>;

/** The storage that a job reads its input from. */
export const inputBlobs = async (deps: StorageDeps, { job, delegation }: RunsAs, datastore: string): Promise<Blobs> =>
  delegation === undefined
    ? (await datastoreOf(deps, datastore)).blobs
    : (await deps.delegations.open(job, delegation)).input;

/** The storage that a job writes its output and errors to. */
export const outputBlobs = async (deps: StorageDeps, { job, delegation }: RunsAs, datastore: string): Promise<Blobs> =>
  delegation === undefined
    ? (await datastoreOf(deps, datastore)).blobs
    : (await deps.delegations.open(job, delegation)).output;

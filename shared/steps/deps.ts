import type { Limits } from '../domain/limits.ts';
import type { DatastoreAddress, WorkspaceAddress } from '../domain/uri.ts';
import type { Scorer } from '../domain/scorer.ts';
import type { SegmentSizes } from '../domain/segments.ts';
import type { CodeUser } from '../scoring/code-user.ts';
import type { EngineLease } from '../scoring/engine-cache.ts';
import type { ContainerAccess } from '../storage/container-access.ts';
import type { BusyTimes } from '../storage/busy-times.ts';
import type { Blobs } from '../storage/ports.ts';
import type { Jobs } from '../storage/registry/jobs-port.ts';
import type { Registry } from '../storage/registry/resources.ts';
import type { Datastores } from './datastore-source.ts';
import type { Delegations } from './identity/delegations.ts';
import type { JobFiles } from './job-files.ts';
import type { JobLogs } from './job-log-chunks.ts';
import type { Clock, Log } from './ports.ts';
import type { ProcessTurns } from './process-turns.ts';
import type { SliceTime } from './slice-time.ts';

/** A datastore and the adapter of its account. */
export interface Datastore {
  readonly address: DatastoreAddress;
  readonly blobs: Blobs;
  /** Absent when the app has nothing that it could hand to a client. */
  readonly access?: ContainerAccess;
}

/** What the steps of a scoring job need. */
export interface JobDeps {
  readonly jobs: Jobs;
  readonly registry: Registry;
  readonly files: JobFiles;
  readonly logs: JobLogs;
  readonly datastores: Datastores;
  readonly delegations: Delegations;
  readonly workspace: WorkspaceAddress;
  /** `print` gets what the job's log should tell of its loading. Throws ModelFault for what can never be scored with. */
  engine(scorer: Scorer, print: (line: string) => void): Promise<EngineLease>;
  /** This process's own folder on the machine's disk, for the files that user code reads and writes. Made when it is needed. */
  workFolder(): Promise<string>;
  /** Who runs user code; the app's own user without. */
  readonly codeUser?: CodeUser | undefined;
  readonly clock: Clock;
  readonly limits: Pick<Limits, 'files' | 'miniBatches'>;
  readonly log: Log;
  /** The slices of this process. */
  readonly turns: ProcessTurns;
  readonly sliceTime: SliceTime;
  /** How long a slice goes on before it answers where no lane waits, in milliseconds. */
  readonly sliceMs: number;
  /** Activities that one instance of the app runs at once. */
  readonly slots: number;
  /** When calls of this process waited because storage was too busy for them. */
  readonly storageWaits: Pick<BusyTimes, 'since'>;
  /** How long a try of a mini-batch may take with such waits, where its timeout alone does not allow for more. */
  readonly longestTryMs: number;
  /** Bytes of output that make a block. */
  readonly blockBytes: number;
  /** How much of an input is planned at once. */
  readonly segmentSizes: SegmentSizes;
}

/** The datastore of a plan; its absence means that the app's settings changed under a running job. */
export async function datastoreOf(deps: Pick<JobDeps, 'datastores'>, name: string): Promise<Datastore> {
  const found = await deps.datastores.find(name);
  if (!found) throw new Error(`datastore ${name} is not there any more`);
  return found;
}

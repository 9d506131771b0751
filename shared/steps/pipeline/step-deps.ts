import type { CodeUser } from '../../scoring/code-user.ts';
import type { Blobs } from '../../storage/ports.ts';
import type { Datastore } from '../deps.ts';
import type { Log } from '../ports.ts';

/** What running one step of a pipeline needs. */
export interface StepDeps {
  /** The app's own account: registered models' files, and the manifests of attempts. */
  readonly systemBlobs: Blobs;
  /** By name in any case; undefined when there is none. */
  datastore(name: string): Datastore | undefined;
  /** Where the folders of steps are made: this process's own, on a local disk. */
  readonly workFolder: string;
  /** The app's environment, of which a command sees an allow-list. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly limits: StepLimits;
  /** Who runs commands; the app's own user without. */
  readonly codeUser?: CodeUser | undefined;
  readonly log: Log;
}

/** What each step may take of this machine. */
export interface StepLimits {
  /** BATCHPOINT_STEP_DISK_MB in bytes: inputs, outputs and everything else in the step's folder. */
  readonly diskBytes: number;
  /** BATCHPOINT_STEP_MEMORY_MB in bytes: address space of each of its processes. */
  readonly memoryBytes?: number | undefined;
}

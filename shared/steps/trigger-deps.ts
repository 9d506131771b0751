import type { DataGrant } from '../auth/data-grants.ts';
import type { WatchEvents } from '../storage/registry/watch-events.ts';
import type { InvokeDeps } from './invoke-endpoint.ts';
import type { JobFiles } from './job-files.ts';
import type { PoisonDeps } from './or-poison.ts';

/** What the steps behind queues and blobs need. */
export interface TriggerDeps extends InvokeDeps, PoisonDeps {
  readonly events: WatchEvents;
  readonly files: JobFiles;
  /** Of the setting BATCHPOINT_GRANTS. */
  readonly grants: readonly DataGrant[];
}

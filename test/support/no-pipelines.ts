import { pipelinesRegistry } from '../../shared/storage/registry/pipelines.ts';
import { fakeOrchestrations } from './fake-orchestrations.ts';
import type { JobWorld } from './job-world.ts';

/** What a sweep needs besides, where there are scoring jobs alone. */
export const noPipelines = ({ table, system }: Pick<JobWorld, 'table' | 'system'>) => ({
  pipelines: pipelinesRegistry({ table, blobs: system }),
  pipelineOrchestrations: fakeOrchestrations(),
});

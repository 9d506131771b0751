import { conflict } from '../../domain/errors.ts';
import type { PipelineRecord, PipelineSpec } from '../../domain/pipeline/pipeline-job.ts';
import type { Pipelines } from '../../storage/registry/pipelines-port.ts';
import { tellSubmitted } from '../job-telemetry.ts';
import type { Orchestrations } from '../ports.ts';

export interface SubmitPipelineDeps {
  readonly pipelines: Pipelines;
  readonly pipelineOrchestrations: Orchestrations;
}

/**
 * Stores a pipeline job and starts its orchestration. The same name and request again answers the job that is there; the same name
 * for another request is a 409.
 */
export async function submitPipeline(
  deps: SubmitPipelineDeps,
  spec: PipelineSpec,
): Promise<{ spec: PipelineSpec; record: PipelineRecord; created: boolean }> {
  const stored = await deps.pipelines.create(spec);
  if (!stored.created && stored.spec.requestHash !== spec.requestHash)
    throw conflict(`A job '${spec.name}' was already made from another request. Give another name.`);
  tellSubmitted('pipeline', stored.spec, stored.created);
  if (stored.record.state === 'accepted') await deps.pipelineOrchestrations.start(spec.name);
  return stored;
}

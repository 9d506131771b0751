import { isPipelineEnded } from '../../domain/pipeline/pipeline-job.ts';
import type { ListedPipeline } from '../../steps/pipeline/pipeline-view.ts';
import { systemData } from '../resource-ids.ts';

/** ISO 8601. */
export function pipelineTimes({ spec, record }: ListedPipeline) {
  const startedAt = record.state === 'accepted' ? null : record.startedAt;
  const endedAt = isPipelineEnded(record) ? record.endedAt : null;
  return { startedAt, endedAt, modifiedAt: endedAt ?? startedAt ?? spec.createdAt };
}

export const pipelineSystemData = (view: ListedPipeline) =>
  systemData({
    createdAt: view.spec.createdAt,
    createdBy: view.spec.createdBy,
    modifiedAt: pipelineTimes(view).modifiedAt,
  });

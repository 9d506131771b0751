import { isPipelineEnded, type PipelineRecord } from '../../domain/pipeline/pipeline-job.ts';
import { CANCELED } from '../cancel-job.ts';
import { LOST } from '../lost-job.ts';
import type { OrchestrationControl } from '../ports.ts';
import { WAIT } from '../sweep-times.ts';
import type { PipelineDeps } from './deps.ts';
import { settlePipeline } from './end-pipeline.ts';

export interface SweepPipelineDeps extends Pick<
  PipelineDeps,
  'jobs' | 'pipelines' | 'logs' | 'log' | 'clock' | 'datastores'
> {
  readonly pipelineOrchestrations: OrchestrationControl;
}

/**
 * Looks after one open pipeline job: starts it when nobody did, ends it when nobody runs it or it does not stop when told to, and
 * takes it out of the open ones when it has ended. False when there is no pipeline job of that name.
 */
export async function lookAfterPipeline(deps: SweepPipelineDeps, name: string): Promise<boolean> {
  const record = (await deps.pipelines.get(name))?.value;
  if (!record) return false;
  if (isPipelineEnded(record)) {
    await deps.jobs.close(name);
    return true;
  }
  const since = (iso: string): number => deps.clock.now() - Date.parse(iso);
  const orchestration = await deps.pipelineOrchestrations.state(name);
  if (record.cancelRequested) {
    // Whoever cancelled may have died before the mark was written.
    await deps.jobs.stop(name, CANCELED);
    const waited = since(record.cancelRequestedAt ?? record.createdAt);
    if (waited >= WAIT.cancel || (orchestration !== 'active' && record.state === 'accepted')) await end(deps, record);
    return true;
  }
  if (record.state === 'accepted' && orchestration === 'absent') {
    if (since(record.resumedAt ?? record.createdAt) >= WAIT.start) await startAgain(deps, record);
    return true;
  }
  if (orchestration === 'failed' || orchestration === 'ended' || orchestration === 'absent') await end(deps, record);
  return true;
}

async function startAgain(deps: SweepPipelineDeps, { name }: PipelineRecord): Promise<void> {
  const resumedAt = new Date(deps.clock.now()).toISOString();
  const record = await deps.pipelines.transition(name, (current) =>
    current.state === 'accepted' ? { ...current, resumedAt } : undefined,
  );
  if (record?.state !== 'accepted') return;
  await deps.pipelineOrchestrations.start(name);
  deps.log.warn({ job: name }, 'pipeline started: its orchestration was absent');
}

/** The orchestration may have ended the job between the two reads: then this finds it ended and changes nothing. */
async function end(deps: SweepPipelineDeps, { name, cancelRequested }: PipelineRecord): Promise<void> {
  const reason = cancelRequested ? CANCELED : LOST;
  await deps.jobs.stop(name, reason);
  await deps.pipelineOrchestrations.terminate(name, 1);
  await settlePipeline(deps, name, reason);
}

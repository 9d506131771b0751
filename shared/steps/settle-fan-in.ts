import { generationOf, type JobRecord, type OrchestrationState } from '../domain/job.ts';
import { LOST } from './lost-job.ts';
import type { ControlDeps } from './resume-job.ts';
import { settleJob } from './settle-job.ts';
import { WAIT } from './sweep-times.ts';

type Committing = Extract<JobRecord, { state: 'committing' }>;

/**
 * A job whose fan-in began and whose orchestration is lost, or hangs. First nobody may commit any more; once a request that
 * was on its way must have arrived, the output itself tells how the job ended.
 */
export async function settleLostFanIn(
  deps: ControlDeps,
  record: Committing,
  orchestration: OrchestrationState,
): Promise<void> {
  const now = deps.clock.now();
  const { name: job } = record;
  if (record.revokedAt !== undefined) {
    if (now - Date.parse(record.revokedAt) < WAIT.commit) return;
    const { state } = await settleJob(deps, { job, reason: LOST, generation: generationOf(record) });
    deps.log.warn({ job, state }, 'job settled: its fan-in is lost');
    return;
  }
  const running = orchestration === 'active' || orchestration === 'suspended';
  if (running && now - Date.parse(record.committingAt ?? record.startedAt) < WAIT.activity + WAIT.silence) return;
  const revokedAt = new Date(now).toISOString();
  await deps.jobs.transition(job, (current) =>
    current.state === 'committing' && current.execution === record.execution
      ? { ...current, execution: `revoked ${current.execution}`, revokedAt }
      : undefined,
  );
  deps.log.warn({ job, orchestration }, 'fan-in revoked');
  if (running) await deps.orchestrations.terminate(job, generationOf(record));
}

import { generationOf, isEnded, isLost, type JobRecord, type OrchestrationState } from '../domain/job.ts';
import { tellScoringEnded } from './job-telemetry.ts';
import { endedRecord } from './settle-job.ts';
import type { ViewDeps } from './job-view.ts';

export const LOST = { code: 'OrchestrationLost', message: 'The orchestration of this job ended without a result.' };

/**
 * Asks Durable Functions after an open job, and ends one that is lost. The record has the last word: the job may have settled, or
 * gone to its next generation, between the two reads.
 */
export async function askAfter(
  deps: ViewDeps,
  open: JobRecord,
): Promise<{ record: JobRecord; orchestration: OrchestrationState }> {
  const generation = generationOf(open);
  const orchestration = await deps.orchestrations.state(open.name, generation);
  if (orchestration === 'active') return { record: open, orchestration };
  const record = (await endIfLost(deps, open.name, generation, orchestration)) ?? open;
  return { record, orchestration: generationOf(record) === generation ? orchestration : 'active' };
}

/**
 * Ends the record of a job that nobody runs any more: the orchestration of its generation ended or vanished without saying so.
 * A job that only waits for its orchestration may still be started, unless it is to be cancelled; one whose fan-in began may
 * have written its output, which the sweeper finds out. Answers the record that now stands.
 */
export async function endIfLost(
  deps: Pick<ViewDeps, 'jobs' | 'clock'>,
  name: string,
  generation: number,
  orchestration: OrchestrationState,
): Promise<JobRecord | undefined> {
  const endedAt = new Date(deps.clock.now()).toISOString();
  let ours: JobRecord | undefined;
  const record = await deps.jobs.transition(name, (current) => {
    ours = undefined;
    if (isEnded(current) || current.state === 'committing' || generationOf(current) !== generation) return undefined;
    const nobodyWaits = orchestration === 'absent' && current.cancelRequested;
    if (!isLost(current, orchestration) && !nobodyWaits) return undefined;
    ours = endedRecord(current, { reason: LOST, totals: null, failures: [], errorsUri: null }, endedAt);
    return ours;
  });
  if (record && isEnded(record) && record === ours) {
    const spec = await deps.jobs.spec(name);
    if (spec) tellScoringEnded(spec, record, generation);
  }
  return record;
}

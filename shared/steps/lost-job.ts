import { isEnded, type JobRecord, type OrchestrationState } from '../domain/job.ts';
import type { ViewDeps } from './job-view.ts';

const LOST = { code: 'OrchestrationLost', message: 'The orchestration of this job ended without a result.' };

/**
 * Ends the record of a job that nobody runs any more: its orchestration ended or vanished without saying so. A job that was
 * only accepted may still be started, unless it is to be cancelled; one whose fan-in began may have written its output, which
 * `settleJob` finds out. Answers the record that now stands.
 */
export function endIfLost(
  deps: Pick<ViewDeps, 'jobs' | 'clock'>,
  name: string,
  orchestration: Exclude<OrchestrationState, 'active'>,
): Promise<JobRecord | undefined> {
  const endedAt = new Date(deps.clock.now()).toISOString();
  return deps.jobs.transition(name, (current) => {
    if (isEnded(current) || current.state === 'committing') return undefined;
    if (current.state === 'accepted' && orchestration === 'absent' && !current.cancelRequested) return undefined;
    const { endpoint, deployment, createdAt, cancelRequested } = current;
    return {
      state: cancelRequested ? 'canceled' : 'failed',
      ...{ name, endpoint, deployment, createdAt, cancelRequested, endedAt, reason: LOST },
      startedAt: 'startedAt' in current ? current.startedAt : null,
      ...{ totals: null, failures: [], errorsUri: null },
    };
  });
}

import { randomUUID } from 'node:crypto';
import type { DurableClient } from 'durable-functions';
import { messageOf } from '../shared/domain/errors.ts';
import type { JobOrchestrationInput } from './orchestrations/score-job.ts';
import type { Orchestrations } from '../shared/steps/ports.ts';

/** In JavaScript `getStatus` throws for an unknown instance (functions-host 3.2); this is the text that it throws. */
const ABSENT = 'replied with HTTP 404';

const ACTIVE = new Set(['Pending', 'Running', 'ContinuedAsNew', 'Suspended']);

/** Jobs as orchestrations of Durable Functions; a job's instance has the job's name. */
export function durableOrchestrations(client: () => DurableClient): Orchestrations {
  const state: Orchestrations['state'] = async (job) => {
    try {
      const { runtimeStatus } = await client().getStatus(job);
      return ACTIVE.has(runtimeStatus) ? 'active' : 'ended';
    } catch (error) {
      if (messageOf(error).includes(ABSENT)) return 'absent';
      throw error;
    }
  };
  return {
    state,
    async start(job) {
      try {
        const input: JobOrchestrationInput = { job, execution: randomUUID() };
        await client().startNew('scoreJob', { instanceId: job, input });
      } catch (error) {
        // A running instance of that name refuses a second start: then somebody else has started it.
        if ((await state(job)) === 'absent') throw error;
      }
    },
  };
}

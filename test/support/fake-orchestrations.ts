import type { OrchestrationState } from '../../shared/domain/job.ts';
import type { OrchestrationControl } from '../../shared/steps/ports.ts';

export interface FakeOrchestrations extends OrchestrationControl {
  /** What Durable Functions would answer, by job and generation: `job/2`. Absent unless set. */
  readonly states: Map<string, OrchestrationState>;
  /** Everything that was asked for, in order. */
  readonly asked: string[];
}

/** Durable Functions without orchestrators: a start makes an orchestration active, a terminate ends it. */
export function fakeOrchestrations(): FakeOrchestrations {
  const states = new Map<string, OrchestrationState>();
  const asked: string[] = [];
  return {
    states,
    asked,
    state: async (job, generation = 1) => states.get(`${job}/${generation}`) ?? 'absent',
    async start(job, generation = 1) {
      asked.push(`start ${job}/${generation}`);
      states.set(`${job}/${generation}`, 'active');
    },
    async terminate(job, generation) {
      asked.push(`terminate ${job}/${generation}`);
      if (states.has(`${job}/${generation}`)) states.set(`${job}/${generation}`, 'ended');
    },
    async purge(until) {
      asked.push(`purge ${until.toISOString()}`);
      return 0;
    },
  };
}

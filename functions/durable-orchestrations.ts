import { randomUUID } from 'node:crypto';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import { z } from 'zod';
import { messageOf } from '../shared/domain/errors.ts';
import type { OrchestrationState } from '../shared/domain/job.ts';
import type { OrchestrationControl } from '../shared/steps/ports.ts';

/** In JavaScript `getStatus` throws for an unknown instance (functions-host 3.2); this is the text that it throws. */
const ABSENT = 'replied with HTTP 404';

/** The same of `terminate`. */
const NOT_FOUND = 'No instance with ID';

const STATES: Readonly<Record<string, OrchestrationState>> = {
  Pending: 'active',
  Running: 'active',
  ContinuedAsNew: 'active',
  Suspended: 'suspended',
  Failed: 'failed',
};

const { Running, Pending, Completed, Failed, Terminated, Canceled } = df.OrchestrationRuntimeStatus;

/** A purge asks for a beginning; nothing is older than this. */
const BEGINNING = new Date('2020-01-01T00:00:00.000Z');

/** A part's input; its instance id is the host's own, so this is how a job's parts are known. */
const PartInput = z.object({ job: z.string(), generation: z.number().default(1) });

/** A job's first orchestration has the job's name, a later generation has its number behind. */
const instanceOf = (job: string, generation: number): string => (generation === 1 ? job : `${job}-${generation}`);

/** What runs a kind of job: the orchestrator of a job, and the one of its parts. */
interface Orchestrators {
  readonly job: string;
  readonly part: string;
}

/** Jobs of one kind as orchestrations of Durable Functions. */
export function durableOrchestrations(
  client: () => DurableClient,
  orchestrators: Orchestrators = { job: 'scoreJob', part: 'scoreLane' },
): OrchestrationControl {
  const state = async (job: string, generation = 1): Promise<OrchestrationState> => {
    try {
      const { runtimeStatus } = await client().getStatus(instanceOf(job, generation));
      return STATES[runtimeStatus] ?? 'ended';
    } catch (error) {
      if (messageOf(error).includes(ABSENT)) return 'absent';
      throw error;
    }
  };

  const terminate = async (instance: string): Promise<void> => {
    try {
      await client().terminate(instance, 'ended-by-the-sweeper');
    } catch (error) {
      if (!messageOf(error).includes(NOT_FOUND)) throw error;
    }
  };

  /** Parts that outlived their job's orchestration: terminating it leaves them running. */
  const partsOf = async (job: string, generation: number): Promise<string[]> => {
    const running = await client().getStatusBy({ runtimeStatus: [Running, Pending] });
    return running.flatMap(({ name, instanceId, input }) => {
      const part = name === orchestrators.part ? PartInput.safeParse(input) : undefined;
      return part?.data?.job === job && part.data.generation === generation ? [instanceId] : [];
    });
  };

  return {
    state,
    async start(job, generation = 1) {
      try {
        const input = { job, execution: randomUUID(), ...(generation === 1 ? {} : { generation }) };
        await client().startNew(orchestrators.job, { instanceId: instanceOf(job, generation), input });
      } catch (error) {
        // A running instance of that name refuses a second start: then somebody else has started it.
        if ((await state(job, generation)) === 'absent') throw error;
      }
    },
    async terminate(job, generation) {
      await terminate(instanceOf(job, generation));
      for (const part of await partsOf(job, generation)) await terminate(part);
    },
    async purge(until) {
      const { instancesDeleted } = await client().purgeInstanceHistoryBy({
        createdTimeFrom: BEGINNING,
        createdTimeTo: until,
        runtimeStatus: [Completed, Failed, Terminated, Canceled],
      });
      return instancesDeleted;
    },
  };
}

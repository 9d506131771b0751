import { z } from 'zod';
import { wireObject } from './wire.ts';

const kept = z.unknown().optional();

/** The parts of a job's body that say what it does, as they were sent: the job is shown with them, and read again from them. */
export const SentJob = wireObject({
  properties: wireObject({
    ...{ jobType: kept, componentId: kept, settings: kept, jobs: kept, inputs: kept, outputs: kept, computeId: kept },
    ...{ command: kept, codeId: kept, environmentId: kept, environmentVariables: kept },
    ...{ resources: kept, distribution: kept, limits: kept },
  }),
});

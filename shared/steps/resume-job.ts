import { generationOf, MAX_GENERATIONS, type JobRecord, type Reason } from '../domain/job.ts';
import { belowJob } from '../telemetry/job-span.ts';
import { inSpan } from '../telemetry/spans.ts';
import type { JobDeps } from './deps.ts';
import type { OrchestrationControl } from './ports.ts';
import { endJob } from './settle-job.ts';

export interface ControlDeps extends JobDeps {
  readonly orchestrations: OrchestrationControl;
}

/**
 * Gives a job that is stuck in one generation to the next, which goes on from the receipts. The conditional write of the record
 * comes first: from then on no execution of the old generation can plan, commit or settle. After the last generation the job
 * fails for `why`.
 */
export async function resumeJob(deps: ControlDeps, stuck: JobRecord, why: Reason): Promise<void> {
  const generation = generationOf(stuck);
  if (generation >= MAX_GENERATIONS) {
    const message = `${why.message} It was resumed ${generation - 1} times; now it is given up.`;
    return giveUp(deps, stuck, { code: why.code, message });
  }
  const resumedAt = new Date(deps.clock.now()).toISOString();
  const record = await deps.jobs.transition(stuck.name, (current) =>
    generationOf(current) === generation ? resuming(current, resumedAt) : undefined,
  );
  if (record?.state !== 'resuming' || record.generation !== generation + 1) return;
  deps.log.warn(
    { job: stuck.name, generation: generation + 1, reason: why.message },
    'job goes to its next generation',
  );
  const spec = await deps.jobs.spec(stuck.name);
  const attributes = {
    'batchpoint.job': stuck.name,
    'batchpoint.generation': record.generation,
    'batchpoint.reason': why.code,
  };
  await inSpan('resumeJob', { attributes, below: belowJob(spec?.trace) }, () => startGeneration(deps, record));
}

function resuming(current: JobRecord, resumedAt: string): JobRecord | undefined {
  switch (current.state) {
    case 'accepted':
    case 'planning':
    case 'scoring':
    case 'resuming': {
      const { name, endpoint, deployment, createdAt, cancelRequested, cancelRequestedAt } = current;
      return {
        state: 'resuming',
        ...{ name, endpoint, deployment, createdAt, cancelRequested, resumedAt },
        ...(cancelRequestedAt === undefined ? {} : { cancelRequestedAt }),
        generation: generationOf(current) + 1,
        startedAt: 'startedAt' in current ? current.startedAt : null,
      };
    }
    case 'committing':
    case 'completed':
    case 'failed':
    case 'canceled':
      return undefined;
  }
}

/** Ends what the generation before has running and starts this one's orchestration. Repeating it does no harm. */
export async function startGeneration(deps: ControlDeps, record: JobRecord): Promise<void> {
  const generation = generationOf(record);
  await deps.jobs.supersede(record.name, generation);
  await deps.orchestrations.terminate(record.name, generation - 1);
  await deps.orchestrations.start(record.name, generation);
}

/** Ends a job from outside: everything that works for it is told to stop, its orchestration is terminated. */
export async function giveUp(deps: ControlDeps, record: JobRecord, reason: Reason): Promise<void> {
  const generation = generationOf(record);
  await deps.jobs.stop(record.name, reason);
  await deps.orchestrations.terminate(record.name, generation);
  await endJob(deps, record.name, generation, { reason, totals: null, failures: [], errorsUri: null });
}

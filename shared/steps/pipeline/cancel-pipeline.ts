import { conflict, notFound } from '../../domain/errors.ts';
import { isPipelineEnded } from '../../domain/pipeline/pipeline-job.ts';
import type { Jobs } from '../../storage/registry/jobs-port.ts';
import type { Pipelines } from '../../storage/registry/pipelines-port.ts';
import { CANCELED } from '../cancel-job.ts';
import type { Clock } from '../ports.ts';

/** Asks a pipeline job to stop: commands that run are ended, steps that have not begun never do. Again: nothing new. */
export async function cancelPipeline(
  deps: { readonly pipelines: Pipelines; readonly jobs: Jobs; readonly clock: Clock },
  name: string,
): Promise<void> {
  const cancelRequestedAt = new Date(deps.clock.now()).toISOString();
  const record = await deps.pipelines.transition(name, (current) =>
    current.cancelRequested ? undefined : { ...current, cancelRequested: true, cancelRequestedAt },
  );
  if (!record) throw notFound(`There is no job '${name}'.`);
  if (!isPipelineEnded(record)) await deps.jobs.stop(name, CANCELED);
  else if (record.state !== 'canceled') throw conflict(`Job '${name}' has already ended: ${record.state}.`);
}

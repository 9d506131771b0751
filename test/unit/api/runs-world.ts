import type { Failure, Totals } from '../../../shared/domain/job.ts';
import { NOW, type World } from './api-world.ts';

export const ENDED = '2026-02-03T04:05:09.000Z';

/** Invokes the endpoint of `deployHeart` and answers the job's name. */
export async function makeJob(world: World, properties: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const inputData = { input: { jobInputType: 'UriFile', uri: 'azureml://datastores/workspaceblobstore/paths/a.csv' } };
  const answer = await world.call('POST', '/endpoints/heart-ep/jobs', {
    body: { properties: { inputData, ...properties } },
  });
  if (answer.status !== 201) throw new Error(`the job was refused: ${JSON.stringify(answer.body)}`);
  return (answer.body as { name: string }).name;
}

type End =
  | { readonly state: 'completed'; readonly outputUri: string }
  | { readonly state: 'failed' | 'canceled'; readonly reason: { code: string; message: string } };

/** Ends a job as its fan-in would. */
export async function endJob(
  world: World,
  job: string,
  end: End,
  totals: Totals | null = null,
  failures: readonly Failure[] = [],
): Promise<void> {
  await world.jobs.transition(job, ({ name, endpoint, deployment, createdAt, cancelRequested }) => ({
    ...{ name, endpoint, deployment, createdAt, cancelRequested, totals, failures: [...failures], errorsUri: null },
    ...{ startedAt: NOW, endedAt: ENDED },
    ...end,
  }));
}

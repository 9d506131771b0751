import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { z } from 'zod';
import { client, workspacePath, type Client } from '../cli/client.ts';
import { PROJECT, startStack } from '../cli/stack.ts';
import { localWorkspace } from '../cli/workspace.ts';
import { median, type Figure } from './figure.ts';

const STEPS = 20;
const RUNS = 3;
/** Every look reads the whole job, which would be measured with it. */
const POLL_MS = 300;

/** Commands that do nothing, and one that takes a second. Steps in a row hand on a file, without which nothing ties them. */
const COMPONENTS = {
  nothing: { command: 'true', inputs: {}, outputs: {} },
  first: { command: 'echo > ${{outputs.done}}/done', inputs: {}, outputs: { done: { type: 'uri_folder' } } },
  next: {
    command: 'cp ${{inputs.before}}/done ${{outputs.done}}/done',
    inputs: { before: { type: 'uri_folder' } },
    outputs: { done: { type: 'uri_folder' } },
  },
  second: { command: 'sleep 1', inputs: {}, outputs: {} },
};

type Steps = Record<string, { component: keyof typeof COMPONENTS; before?: string }>;

/** What a pipeline costs beyond the work of its steps, by HTTP alone. */
export async function pipelines(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const stack = await startStack({ port: 0, storagePort: 0, keyFile, settings: { BATCHPOINT_LOG_LEVEL: 'error' } });
  try {
    await BlobServiceClient.fromConnectionString(stack.connectionString)
      .getContainerClient('azureml-blobstore')
      .createIfNotExists();
    const workspace = await localWorkspace(PROJECT);
    const token = await stack.issuer.sign({ audience: 'api://batchpoint', lifetimeSeconds: 7200 });
    const api = client(stack.url, workspace, async () => token);
    const jobs: Jobs = { api, token, url: stack.url, workspace: workspacePath(workspace) };
    for (const [name, { command, inputs, outputs }] of Object.entries(COMPONENTS))
      await api.put(`/components/${name}/versions/1`, {
        properties: { componentSpec: { type: 'command', name, version: '1', command, inputs, outputs } },
      });
    // The first job also starts what all later ones use.
    await run(jobs, { only: { component: 'nothing' } }, true);

    const row = stepsInARow();
    const anew = await times(() => run(jobs, row, true));
    add({ name: 'pipeline_step_ms', value: anew / STEPS, unit: 'ms', target: { atMost: 100 } });
    const abreast = await times(() => run(jobs, stepsAbreast(), true));
    add({ name: 'pipeline_step_abreast_ms', value: abreast / STEPS, unit: 'ms', target: { atMost: 100 } });
    const again = await times(() => run(jobs, row, false));
    add({ name: 'pipeline_unchanged_ms', value: again, unit: 'ms', target: { atMost: 2000 } });

    const one = await run(jobs, { a: { component: 'second' } }, true);
    const two = await run(jobs, { a: { component: 'second' }, b: { component: 'second' } }, true);
    add({ name: 'pipeline_overlap', value: two / one, unit: 'two steps / one', target: { atMost: 1.5 } });
  } finally {
    await stack.stop();
  }
}

const stepsInARow = (): Steps =>
  Object.fromEntries(
    Array.from({ length: STEPS }, (_, index) => [
      `s${index}`,
      index === 0 ? { component: 'first' } : { component: 'next', before: `s${index - 1}` },
    ]),
  );

const stepsAbreast = (): Steps =>
  Object.fromEntries(Array.from({ length: STEPS }, (_, index) => [`s${index}`, { component: 'nothing' }]));

async function times(measure: () => Promise<number>): Promise<number> {
  const all: number[] = [];
  for (let index = 0; index < RUNS; index++) all.push(await measure());
  return median(all);
}

interface Jobs {
  readonly api: Client;
  readonly token: string;
  /** The app's address. */
  readonly url: string;
  /** Where paths of the workspace begin. */
  readonly workspace: string;
}

const Details = z.object({ status: z.string(), endTimeUtc: z.string().nullable() });

/** Milliseconds from the request that makes a job to its end, as the app says when that was. */
async function run({ api, token, url, workspace }: Jobs, steps: Steps, forceRerun: boolean): Promise<number> {
  const name = `bench-${randomUUID()}`;
  const began = Date.now();
  await api.put(`/jobs/${name}`, {
    properties: { jobType: 'Pipeline', settings: { force_rerun: forceRerun }, jobs: wireSteps(steps, workspace) },
  });
  for (;;) {
    await wait(POLL_MS);
    const path = `${url}/history/v1.0${workspace}/runs/${name}/details`;
    const answer = await fetch(path, { headers: { authorization: `Bearer ${token}` } });
    const { status, endTimeUtc } = Details.parse(await answer.json());
    if (status === 'Completed' && endTimeUtc !== null) return Date.parse(endTimeUtc) - began;
    if (status === 'Failed' || status === 'Canceled') throw new Error(`Pipeline ${name} is ${status}.`);
  }
}

const wireSteps = (steps: Steps, workspace: string) =>
  Object.fromEntries(
    Object.entries(steps).map(([name, { component, before }]) => [
      name,
      {
        type: 'command',
        componentId: `${workspace}/components/${component}/versions/1`,
        inputs:
          before === undefined
            ? {}
            : { before: { job_input_type: 'literal', value: `\${{parent.jobs.${before}.outputs.done}}` } },
      },
    ]),
  );

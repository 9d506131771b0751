import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { z } from 'zod';
import { WORKSPACE, type App } from '../support/app.ts';

/** What each step reads: two sources, three steps after each, two that join those, one that joins all, and the last. */
const GRAPH: Readonly<Record<string, readonly string[]>> = {
  one: [],
  two: [],
  one_a: ['one'],
  one_b: ['one'],
  one_c: ['one'],
  two_a: ['two'],
  two_b: ['two'],
  two_c: ['two'],
  ones: ['one_a', 'one_b', 'one_c'],
  twos: ['two_a', 'two_b', 'two_c'],
  all: ['ones', 'twos'],
  last: ['all'],
};

const STEPS = Object.keys(GRAPH);
const INPUTS = ['first', 'second', 'third'];
const COMPONENT = `${WORKSPACE}/components/link/versions/1`;
const HISTORY = `/history/v1.0${WORKSPACE}`;
const END_WITHIN_MS = 180_000;

/** What a step writes: its name behind what the steps before it wrote. */
const textOf = (step: string): string => `${(GRAPH[step] ?? []).map(textOf).join('')}${step};`;

const literal = (value: string) => ({ job_input_type: 'literal', value });

/** Sends what must be answered with this status. */
async function done(app: App, status: number, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await app.send(method, path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  return answer.body;
}

/** Registers the component of all steps: it takes its time, and joins its inputs. */
export async function prepare(app: App): Promise<void> {
  const read = INPUTS.map((name) => `$[[cat \${{inputs.${name}}}/text;]]`).join(' ');
  const componentSpec = {
    type: 'command',
    name: 'link',
    version: '1',
    command: `sleep 0.2; { ${read} printf '%s;' \${{inputs.name}}; } > \${{outputs.out}}/text`,
    inputs: {
      name: { type: 'string' },
      ...Object.fromEntries(INPUTS.map((name) => [name, { type: 'uri_folder', optional: true }])),
    },
    outputs: { out: { type: 'uri_folder' } },
  };
  await done(app, 201, 'PUT', `${WORKSPACE}/components/link/versions/1`, { properties: { componentSpec } });
}

/** Submits a job in which every step's output is one of the job. */
export async function submit(app: App, job: string): Promise<void> {
  const jobs = Object.entries(GRAPH).map(
    ([step, before]) =>
      [
        step,
        {
          type: 'command',
          componentId: COMPONENT,
          inputs: {
            name: literal(step),
            ...Object.fromEntries(
              before.map(
                (other, index) => [INPUTS[index] ?? '', literal(`\${{parent.jobs.${other}.outputs.out}}`)] as const,
              ),
            ),
          },
          outputs: { out: literal(`\${{parent.outputs.${step}}}`) },
        },
      ] as const,
  );
  await done(app, 201, 'PUT', `${WORKSPACE}/jobs/${job}`, {
    properties: {
      jobType: 'Pipeline',
      experimentName: 'chaos',
      settings: { force_rerun: true },
      outputs: Object.fromEntries(STEPS.map((step) => [step, { jobOutputType: 'uri_folder' }])),
      jobs: Object.fromEntries(jobs),
    },
  });
}

const Job = z.object({ properties: z.object({ status: z.string() }) });
const Runs = z.object({ value: z.array(z.object({ runId: z.string(), displayName: z.string(), status: z.string() })) });

/** Waits for the job's end and asserts all that it says and wrote. */
export async function outcome(app: App, job: string): Promise<void> {
  let status = '';
  for (
    const until = Date.now() + END_WITHIN_MS;
    !['Completed', 'Failed', 'Canceled'].includes(status);
    await wait(100)
  ) {
    ({ status } = Job.parse(await done(app, 200, 'GET', `${WORKSPACE}/jobs/${job}`)).properties);
    if (Date.now() > until) throw new Error(`job ${job} does not end: ${status}`);
  }
  expect(status).toBe('Completed');
  const { value: runs } = Runs.parse(await done(app, 200, 'GET', `${HISTORY}/runs/${job}/children`));
  expect(runs.map(({ displayName, status }) => [displayName, status])).toEqual(
    STEPS.map((step) => [step, 'Completed']),
  );
  const written = new Map<string, { text: string | undefined; step: string | undefined }>();
  for await (const { name, metadata } of app.data.listBlobsFlat({
    prefix: `azureml/${job}/`,
    includeMetadata: true,
    includeUncommitedBlobs: true,
  }))
    written.set(name, { text: await app.text(name), step: metadata?.['batchpoint_step'] });
  const run = new Map(runs.map(({ displayName, runId }) => [displayName, runId]));
  expect(written).toEqual(
    new Map(
      STEPS.toSorted().map((step) => [`azureml/${job}/${step}/text`, { text: textOf(step), step: run.get(step) }]),
    ),
  );
}

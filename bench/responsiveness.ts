import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { client, type Client } from '../cli/client.ts';
import { createSample, SAMPLE, sampleInvocation, uploadSample } from '../cli/sample.ts';
import { PROJECT, startStack, type Stack } from '../cli/stack.ts';
import { localWorkspace } from '../cli/workspace.ts';
import { median, type Figure } from './figure.ts';

const WARM_UP = 5;
const ROUNDS = 25;

/** Short slices, so that lanes run through many of them and their histories grow as in a long job. */
const SLICE_SECONDS = '0.02';
const COPIES_OF_LONG_JOB = 60;

/** How fast the app answers, how fast a job begins, and how large a history grows: the embedded host, Azurite in memory. */
export async function responsiveness(keyFile: string, add: (figure: Figure) => void): Promise<void> {
  const stack = await startStack({
    port: 0,
    storagePort: 0,
    keyFile,
    settings: { BATCHPOINT_LOG_LEVEL: 'error', BATCHPOINT_SLICE_SECONDS: SLICE_SECONDS },
  });
  try {
    const workspace = await localWorkspace(PROJECT);
    const token = await stack.issuer.sign({ audience: 'api://batchpoint' });
    const api = client(stack.url, workspace, async () => token);
    await uploadSample(stack.connectionString, PROJECT);
    await createSample(api, workspace);
    const rounds = [];
    for (let round = 0; round < WARM_UP + ROUNDS; round++) rounds.push(await oneJob(api, sampleInvocation));
    const warm = rounds.slice(WARM_UP);
    add({ name: 'post_ms_p50', value: median(warm.map((job) => job.postMs)), unit: 'ms', target: { atMost: 50 } });
    add({
      name: 'first_row_ms',
      value: median(warm.map((job) => job.firstRowMs)),
      unit: 'ms',
      target: { atMost: 1000 },
    });
    await longJob(stack, api);
    add({
      name: 'history_kb_max',
      value: (await largestHistory(stack)) / 1024,
      unit: 'KiB',
      target: { atMost: 1024 },
    });
  } finally {
    await stack.stop();
  }
}

async function oneJob(api: Client, body: unknown): Promise<{ postMs: number; firstRowMs: number }> {
  const sent = Date.now();
  const started = performance.now();
  const { name } = await api.invoke(SAMPLE.endpoint, body);
  const postMs = performance.now() - started;
  const firstRowAt = await endOf(api, name);
  return { postMs, firstRowMs: Date.parse(firstRowAt) - sent };
}

/** Waits for the job's end; answers when its first row was scored. */
async function endOf(api: Client, name: string): Promise<string> {
  for (;;) {
    const { properties, error } = await api.job(SAMPLE.endpoint, name);
    if (error) throw new Error(error.message);
    const firstRowAt = properties.properties['batchpoint.firstRowAt'];
    if (properties.status === 'Completed' && firstRowAt !== undefined) return firstRowAt;
    await wait(20);
  }
}

async function longJob(stack: Stack, api: Client): Promise<void> {
  await uploadSample(stack.connectionString, PROJECT, COPIES_OF_LONG_JOB);
  await endOf(
    api,
    (await api.invoke(SAMPLE.endpoint, { properties: { ...sampleInvocation.properties, miniBatchSize: 1 } })).name,
  );
}

const Instance = z.looseObject({ instanceId: z.string() });

/** Bytes of the largest history of any instance, as the orchestrator gets it with every step. */
async function largestHistory({ url, hostKey }: Stack): Promise<number> {
  const base = `${url}/runtime/webhooks/durabletask/instances`;
  const keyed = { headers: { 'x-functions-key': hostKey } };
  const instances = z.array(Instance).parse(await (await fetch(base, keyed)).json());
  let largest = 0;
  for (const { instanceId } of instances) {
    const response = await fetch(
      `${base}/${encodeURIComponent(instanceId)}?showHistory=true&showHistoryOutput=true&showInput=true`,
      keyed,
    );
    largest = Math.max(largest, Buffer.byteLength(await response.text()));
  }
  return largest;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { QueueServiceClient, type QueueClient } from '@azure/storage-queue';
import { z } from 'zod';
import { startStack, type StackOptions } from '../../cli/stack.ts';
import { DEFAULT_AUDIENCE, runningApp } from './running-app.ts';

export const WORKSPACE =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/batchpoint/providers/Microsoft.MachineLearningServices/workspaces/local';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** The fields of a job that the tests look at one by one; whole bodies are asserted elsewhere. */
export const JobBody = z.looseObject({
  name: z.string(),
  id: z.string(),
  properties: z.looseObject({
    status: z.string(),
    properties: z.record(z.string(), z.string()),
    outputData: z.record(z.string(), z.looseObject({ uri: z.string() })).nullish(),
  }),
  error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
});
export type JobBody = z.infer<typeof JobBody>;

/** A running app as a client sees it: HTTP and storage, nothing else. */
export interface App {
  readonly url: string;
  /** The default datastore's container. */
  readonly data: ContainerClient;
  /** A queue of the app's own account. */
  queue(name: string): QueueClient;
  token(audience?: string): Promise<string>;
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Waits for the job's end, a minute where nothing is said. */
  finished(endpoint: string, name: string, withinMs?: number): Promise<JobBody>;
  upload(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  /** Content of a file of the default datastore; undefined when it is absent. */
  text(path: string): Promise<string | undefined>;
  /** Endpoint, model and default deployment over the model's files, which are uploaded. */
  deploy(
    endpoint: string,
    files: Readonly<Record<string, Uint8Array>>,
    properties?: Readonly<Record<string, unknown>>,
  ): Promise<Answer>;
  stop(): Promise<void>;
}

/**
 * The app under test: one that runs (see running-app.ts), else one started here on the embedded host with storage in memory.
 * Settings and options are for a started one alone.
 */
export async function startApp(
  settings: Readonly<Record<string, string>> = {},
  options: Pick<StackOptions, 'between'> = {},
): Promise<App> {
  const running = runningApp(process.env);
  if (running !== undefined) return connectedApp(running.url, running.storage, running.sign, async () => undefined);
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-'));
  const stack = await startStack({
    port: 0,
    storagePort: 0,
    keyFile: join(folder, 'key.json'),
    ...options,
    settings: { BATCHPOINT_SLICE_SECONDS: '0.5', ...settings },
  });
  const stop = async (): Promise<void> => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return connectedApp(stack.url, stack.connectionString, (audience) => stack.issuer.sign({ audience }), stop);
}

const END_WITHIN_MS = 60_000;

/** A client of the app at `url`. */
export async function connectedApp(
  url: string,
  storage: string,
  sign: (audience: string) => Promise<string>,
  stop: () => Promise<void>,
): Promise<App> {
  const data = BlobServiceClient.fromConnectionString(storage).getContainerClient('azureml-blobstore');
  await data.createIfNotExists();
  const token = (audience = DEFAULT_AUDIENCE): Promise<string> => sign(audience);
  const app: App = {
    url,
    data,
    queue: (name) => QueueServiceClient.fromConnectionString(storage).getQueueClient(name),
    token,
    stop,
    async send(method, path, body, headers = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
    },
    async finished(endpoint, name, withinMs = END_WITHIN_MS) {
      for (const until = Date.now() + withinMs; ; await wait(40)) {
        const job = JobBody.parse((await app.send('GET', `/endpoints/${endpoint}/jobs/${name}`)).body);
        if (['Completed', 'Failed', 'Canceled'].includes(job.properties.status)) return job;
        if (Date.now() > until) throw new Error(`job ${name} does not end: ${JSON.stringify(job.properties)}`);
      }
    },
    async upload(files) {
      for (const [path, content] of Object.entries(files))
        await data.getBlockBlobClient(path).uploadData(Buffer.from(content));
    },
    async text(path) {
      const blob = data.getBlobClient(path);
      return (await blob.exists()) ? (await blob.downloadToBuffer()).toString('utf8') : undefined;
    },
    async deploy(endpoint, files, properties = {}) {
      await app.upload(
        Object.fromEntries(Object.entries(files).map(([path, content]) => [`models/${endpoint}/${path}`, content])),
      );
      const put = async (path: string, sent: unknown): Promise<void> => {
        const answer = await app.send('PUT', `${WORKSPACE}${path}`, { properties: sent });
        if (answer.status >= 300) throw new Error(`PUT ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      };
      await put(`/batchEndpoints/${endpoint}`, { authMode: 'aadToken' });
      await put(`/models/${endpoint}/versions/1`, {
        modelType: 'custom_model',
        modelUri: `azureml://datastores/workspaceblobstore/paths/models/${endpoint}`,
      });
      const answer = await app.send('PUT', `${WORKSPACE}/batchEndpoints/${endpoint}/deployments/blue`, {
        properties: {
          model: { referenceType: 'Id', assetId: `${WORKSPACE}/models/${endpoint}/versions/1` },
          ...properties,
        },
      });
      if (answer.status < 300)
        await put(`/batchEndpoints/${endpoint}`, { authMode: 'aadToken', defaults: { deploymentName: 'blue' } });
      return answer;
    },
  };
  return app;
}

/** The body of an invocation over a folder of the default datastore. */
export const overFolder = (path: string, more: Readonly<Record<string, unknown>> = {}) => ({
  properties: {
    inputData: { in: { jobInputType: 'UriFolder', uri: `azureml://datastores/workspaceblobstore/paths/${path}` } },
    ...more,
  },
});

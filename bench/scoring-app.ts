import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { client, workspacePath, type Client, type Job } from '../cli/client.ts';
import { PROJECT, startStack, type Stack, type StackOptions } from '../cli/stack.ts';
import { localWorkspace } from '../cli/workspace.ts';

export type BenchModel = 'mlp' | 'trees';

export const modelFile = (model: string): string => join(PROJECT, 'bench/models', model, 'model.onnx');

/** Overrides of an invocation, in its own words. */
export type JobSettings = Readonly<Record<string, unknown>>;

/** The app with the bench's models deployed as endpoints of their names; one file a mini-batch, one lane unless asked. */
export interface ScoringApp {
  readonly stack: Stack;
  readonly data: ContainerClient;
  readonly api: Client;
  /** An endpoint over a model of bench/models, with the deployment `one`. */
  deploy(model: string, properties?: object): Promise<void>;
  /** Starts a job over a folder; answers its name. */
  invoke(endpoint: string, folder: string, settings?: JobSettings): Promise<string>;
  /** Runs a job over a folder to its end. Throws when it fails. */
  run(endpoint: string, folder: string, settings?: JobSettings): Promise<FinishedJob>;
  stop(): Promise<void>;
}

export interface FinishedJob {
  /** From just before the request to just after the first answer that says Completed. */
  readonly seconds: number;
  readonly rows: number;
  readonly job: Job;
}

const POLL_MS = 50;

/**
 * The part of the shortest job of its kind so far in which nobody asks: the answers take the processors from what is measured. A job
 * that ends before the first question counts as long as the wait, so it is by what the jobs say of themselves, and less after the first
 * one, which is slow.
 */
const QUIET_PART = { afterOne: 0.3, later: 0.7 };

export async function scoringApp(keyFile: string, options: Partial<StackOptions> = {}): Promise<ScoringApp> {
  const stack = await startStack({
    port: 0,
    storagePort: 0,
    keyFile,
    ...options,
    settings: { BATCHPOINT_LOG_LEVEL: 'error', BATCHPOINT_SCORING_THREADS: '2', ...options.settings },
  });
  const data = BlobServiceClient.fromConnectionString(stack.connectionString).getContainerClient('azureml-blobstore');
  await data.createIfNotExists();
  const token = await stack.issuer.sign({ audience: 'api://batchpoint', lifetimeSeconds: 7200 });
  const workspace = await localWorkspace(PROJECT);
  const api = client(stack.url, workspace, async () => token);
  const deployment: ScoringApp['deploy'] = (model, properties) =>
    deploy(api, data, model, workspacePath(workspace), properties);
  for (const model of ['mlp', 'trees'] satisfies BenchModel[]) await deployment(model);
  return {
    stack,
    data,
    api,
    deploy: deployment,
    invoke: (endpoint, folder, settings) => invoke(api, endpoint, folder, settings),
    run: runner(api),
    stop: () => stack.stop(),
  };
}

async function deploy(
  api: Client,
  data: ContainerClient,
  model: string,
  workspace: string,
  properties?: object,
): Promise<void> {
  const path = `models/${model}/model.onnx`;
  await data.getBlockBlobClient(path).uploadData(await readFile(modelFile(model)));
  await api.put(`/batchEndpoints/${model}`, { properties: { authMode: 'aadToken' } });
  await api.put(`/models/${model}/versions/1`, {
    properties: { modelType: 'custom_model', modelUri: `azureml://datastores/workspaceblobstore/paths/${path}` },
  });
  await api.put(`/batchEndpoints/${model}/deployments/one`, {
    properties: {
      model: { referenceType: 'Id', assetId: `${workspace}/models/${model}/versions/1` },
      miniBatchSize: 1,
      retrySettings: { maxRetries: 1, timeout: 'PT10M' },
      ...properties,
    },
  });
  await api.put(`/batchEndpoints/${model}`, {
    properties: { authMode: 'aadToken', defaults: { deploymentName: 'one' } },
  });
}

async function invoke(api: Client, endpoint: string, folder: string, settings: JobSettings = {}): Promise<string> {
  const uri = `azureml://datastores/workspaceblobstore/paths/${folder}`;
  const inputData = { in: { jobInputType: 'UriFolder', uri } };
  return (await api.invoke(endpoint, { properties: { inputData, ...settings } })).name;
}

/** Runs jobs of one app; those that were alike tell when to ask for the first time. */
function runner(api: Client): ScoringApp['run'] {
  const known = new Map<string, number[]>();
  return async (endpoint, folder, settings) => {
    const kind = JSON.stringify([endpoint, folder, settings]);
    const alike = known.get(kind) ?? [];
    known.set(kind, alike);
    const part = alike.length > 1 ? QUIET_PART.later : QUIET_PART.afterOne;
    const started = performance.now();
    const name = await invoke(api, endpoint, folder, settings);
    if (alike.length > 0) await wait(Math.min(...alike) * part * 1000);
    for (;;) {
      const job = await api.job(endpoint, name);
      if (job.error) throw new Error(job.error.message);
      const seconds = (performance.now() - started) / 1000;
      const { status, properties } = job.properties;
      if (status === 'Completed') {
        const rows = Number(properties['batchpoint.rows']);
        alike.push(Math.min(seconds, rows / Number(properties['batchpoint.rowsPerSecond'])));
        return { seconds, rows, job };
      }
      await wait(POLL_MS);
    }
  };
}

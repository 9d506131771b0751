import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import type { z } from 'zod';
import { client, workspacePath, type Client, type Job } from '../cli/client.ts';
import { loadDevIssuer } from '../cli/dev-issuer.ts';
import { HEAP, PROJECT } from '../cli/stack.ts';
import { localWorkspace } from '../cli/workspace.ts';
import type * as HostModuleNamespace from '../local/host.ts';
import type * as RuntimeModuleNamespace from '../shared/runtime.ts';
import type { JobDeps } from '../shared/steps/deps.ts';

type HostModule = typeof HostModuleNamespace;
type RuntimeModule = typeof RuntimeModuleNamespace;

/** Host and app in this process, with storage in its memory. */
export interface AppInProcess {
  readonly api: Client;
  /** Writes a file of the default datastore. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Endpoint and default deployment over a model that lies at this path of the default datastore. */
  deploy(endpoint: string, model: string, properties: object): Promise<void>;
  /** Starts a job over a folder of the default datastore; answers its name. */
  invoke(endpoint: string, folder: string): Promise<string>;
  /** Waits for its end. Throws when it fails. */
  ended(endpoint: string, job: string): Promise<Job>;
  /** A job over a folder of the default datastore. */
  run(endpoint: string, folder: string): Promise<EndedRun>;
  /** How many receipts a job has. */
  receipts(job: string): Promise<number>;
  /** The jobs as the activities have them. */
  readonly jobs: JobDeps['jobs'];
}

/** In milliseconds from the invocation on. */
export interface EndedRun {
  readonly name: string;
  readonly ms: number;
  readonly firstRowMs: number;
}

export const inDatastore = (path: string): string => `azureml://datastores/workspaceblobstore/paths/${path}`;

/** Only in a process that `inProcessOfItsOwn` has started. */
export async function appInProcess(): Promise<AppInProcess> {
  process.once('disconnect', () => process.exit());
  const compiled = (path: string): string => pathToFileURL(join(PROJECT, 'dist', path)).href;
  const { startHost } = (await import(compiled('local/host.js'))) as HostModule;
  const host = await startHost({ root: PROJECT, port: 0, verbose: false });
  // The same module that the app has loaded: its storage is ours to fill.
  const { runtime } = (await import(compiled('shared/runtime.js'))) as RuntimeModule;
  const { apiDeps, jobDeps } = await runtime();
  const { systemBlobs, datastores } = apiDeps;
  const { blobs } = datastores.default;
  await blobs.ensureContainer('data');
  const workspace = await localWorkspace(PROJECT);
  const token = process.env['BENCH_TOKEN'] ?? '';
  const api = client(`http://127.0.0.1:${host.port}`, workspace, async () => token);
  async function invoke(endpoint: string, folder: string): Promise<string> {
    const inputData = { in: { jobInputType: 'UriFolder', uri: inDatastore(`${folder}/`) } };
    return (await api.invoke(endpoint, { properties: { inputData } })).name;
  }

  async function ended(endpoint: string, name: string): Promise<Job> {
    for (;;) {
      const job = await api.job(endpoint, name);
      if (job.error) throw new Error(job.error.message);
      if (job.properties.status === 'Completed') return job;
      await wait(POLL_MS);
    }
  }

  return {
    api,
    put: async (name, bytes) => void (await blobs.write({ container: 'data', name }, bytes)),
    async deploy(endpoint, model, properties) {
      const asset = `/models/${endpoint}/versions/1`;
      await api.put(`/batchEndpoints/${endpoint}`, { properties: { authMode: 'aadToken' } });
      await api.put(asset, { properties: { modelType: 'custom_model', modelUri: inDatastore(model) } });
      await api.put(`/batchEndpoints/${endpoint}/deployments/one`, {
        properties: { model: { referenceType: 'Id', assetId: `${workspacePath(workspace)}${asset}` }, ...properties },
      });
      const defaults = { deploymentName: 'one' };
      await api.put(`/batchEndpoints/${endpoint}`, { properties: { authMode: 'aadToken', defaults } });
    },
    invoke,
    ended,
    async run(endpoint, folder) {
      const started = performance.now();
      const invokedAt = Date.now();
      const name = await invoke(endpoint, folder);
      const { properties } = (await ended(endpoint, name)).properties;
      const firstRowAt = properties['batchpoint.firstRowAt'] ?? '';
      return { name, ms: performance.now() - started, firstRowMs: Date.parse(firstRowAt) - invokedAt };
    },
    jobs: jobDeps.jobs,
    async receipts(job) {
      let found = 0;
      for await (const _ of systemBlobs.list('batchpoint-jobs', { prefix: `${job}/receipts/` })) found++;
      return found;
    },
  };
}

/** Asking takes the processor from what is measured. */
const POLL_MS = 50;

/** Runs a file of bench/ that sends one answer, in a process of its own: the app's storage is in its memory. */
export async function inProcessOfItsOwn<T>(
  file: string,
  args: readonly string[],
  keyFile: string,
  shape: z.ZodType<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  const issuer = await loadDevIssuer(keyFile);
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: HEAP,
    env: {
      ...process.env,
      AzureWebJobsStorage: 'memory',
      BATCHPOINT_STATE: 'memory',
      BATCHPOINT_DATASTORES: '[{"name":"workspaceblobstore","connection":"memory","container":"data"}]',
      BATCHPOINT_DEV_JWKS: issuer.jwks,
      BATCHPOINT_LOG_LEVEL: 'error',
      BATCHPOINT_ALLOW_CODE: 'true',
      BENCH_TOKEN: await issuer.sign({ audience: 'api://batchpoint', lifetimeSeconds: 7200 }),
      ...settings,
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${file} ended without an answer`);
  });
  const answer: unknown = (await Promise.race([once(child, 'message'), ended]))[0];
  child.kill('SIGKILL');
  return shape.parse(answer);
}

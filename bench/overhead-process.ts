import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { client, workspacePath } from '../cli/client.ts';
import { PROJECT } from '../cli/stack.ts';
import { localWorkspace } from '../cli/workspace.ts';
import { numericCsv } from './data.ts';
import type * as HostModuleNamespace from '../local/host.ts';
import type * as RuntimeModuleNamespace from '../shared/runtime.ts';
import type { MillisecondsPerMiniBatch } from './overhead-message.ts';

type HostModule = typeof HostModuleNamespace;
type RuntimeModule = typeof RuntimeModuleNamespace;

/** Host and app in this process, storage in its memory: runs one job of so many one-row mini-batches and tells what each cost. */
const miniBatches = Number(process.argv[2]);

const compiled = (path: string): string => pathToFileURL(join(PROJECT, 'dist', path)).href;
const { startHost } = (await import(compiled('local/host.js'))) as HostModule;
const host = await startHost({ root: PROJECT, port: 0, verbose: false });
// The same module that the app has loaded: its storage is ours to fill.
const { runtime } = (await import(compiled('shared/runtime.js'))) as RuntimeModule;
const { apiDeps } = await runtime();
const data = apiDeps.datastores.default;

const workspace = await localWorkspace(PROJECT);
const token = process.env['BENCH_TOKEN'] ?? '';
const api = client(`http://127.0.0.1:${host.port}`, workspace, async () => token);
const put = (name: string, bytes: Uint8Array) => data.blobs.write({ container: 'data', name }, bytes);
await data.blobs.ensureContainer('data');
await put('model.onnx', await readFile(join(PROJECT, 'bench/models/mlp/model.onnx')));
await api.put('/batchEndpoints/mlp', { properties: { authMode: 'aadToken' } });
await api.put('/models/mlp/versions/1', {
  properties: { modelType: 'custom_model', modelUri: 'azureml://datastores/workspaceblobstore/paths/model.onnx' },
});
await api.put('/batchEndpoints/mlp/deployments/one', {
  properties: {
    model: { referenceType: 'Id', assetId: `${workspacePath(workspace)}/models/mlp/versions/1` },
    miniBatchSize: 1,
    maxConcurrencyPerInstance: 2,
  },
});
await api.put('/batchEndpoints/mlp', { properties: { authMode: 'aadToken', defaults: { deploymentName: 'one' } } });

const csv = numericCsv(1);
for (const folder of ['warm-up', 'measured'])
  for (let file = 0; file < (folder === 'measured' ? miniBatches : 50); file++)
    await put(`${folder}/${String(file).padStart(6, '0')}.csv`, csv);

const run = async (folder: string): Promise<number> => {
  const uri = `azureml://datastores/workspaceblobstore/paths/${folder}/`;
  const started = performance.now();
  const { name } = await api.invoke('mlp', { properties: { inputData: { in: { jobInputType: 'UriFolder', uri } } } });
  for (;;) {
    const job = await api.job('mlp', name);
    if (job.error) throw new Error(job.error.message);
    if (job.properties.status === 'Completed') return performance.now() - started;
    await wait(20);
  }
};

await run('warm-up');
const answer: MillisecondsPerMiniBatch = { millisecondsPerMiniBatch: (await run('measured')) / miniBatches };
process.send?.(answer);

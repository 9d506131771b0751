import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ContainerClient } from '@azure/storage-blob';
import { parse } from 'yaml';
import { z } from 'zod';
import { workspacePath, type Client, type Workspace } from './client.ts';

/** What the examples use of Azure ML's deployment YAML. Paths are relative to the example's folder. */
const Deployment = z.strictObject({
  $schema: z.string(),
  name: z.string(),
  endpoint_name: z.string(),
  type: z.literal('model'),
  model: z.strictObject({ path: z.string(), type: z.enum(['custom_model', 'mlflow_model']) }),
  code_configuration: z.strictObject({ code: z.string(), scoring_script: z.string() }).optional(),
  settings: z.strictObject({ mini_batch_size: z.int(), max_concurrency_per_instance: z.int().optional() }),
  properties: z.record(z.string(), z.string()).optional(),
});

/** A folder of examples/: what `deployment.yml` says, and the folder `data` to score. */
export interface Example {
  readonly endpoint: string;
  readonly deployment: string;
  /** Where `data` is uploaded to. */
  readonly input: string;
  /** Uploads model, code and data. Answers the number of data files. */
  upload(container: ContainerClient): Promise<number>;
  /** Creates endpoint, model, code and deployment, and makes the deployment the default. */
  create(api: Client, workspace: Workspace): Promise<void>;
}

const STORE = 'azureml://datastores/workspaceblobstore/paths';

/** Throws for a name that is none, and for an example whose model has to be made first. */
export async function loadExample(project: string, name: string): Promise<Example> {
  const folder = join(project, 'examples', basename(name));
  const deployment = Deployment.parse(parse(await deploymentFile(project, folder, name)));
  const { model, code_configuration: code, endpoint_name: endpoint } = deployment;
  if (!(await readdir(folder)).includes(model.path))
    throw new Error(`Its model has to be made first: examples/${name}/README.md says how.`);
  const blobsOf = (part: string): string => `samples/${name}/${part}`;
  return {
    endpoint,
    deployment: deployment.name,
    input: `${STORE}/${blobsOf('data')}/`,
    async upload(container) {
      const counts: number[] = [];
      for (const part of [model.path, ...(code ? [code.code] : []), 'data'])
        counts.push(await uploadFolder(container, join(folder, part), blobsOf(part)));
      return counts.at(-1) ?? 0;
    },
    async create(api, workspace) {
      const putEndpoint = (defaults: object): Promise<void> =>
        api.put(`/batchEndpoints/${endpoint}`, {
          location: 'local',
          properties: { authMode: 'aadToken', ...defaults },
        });
      await putEndpoint({});
      await api.put(`/models/${name}/versions/1`, {
        properties: { modelType: model.type, modelUri: `${STORE}/${blobsOf(model.path)}` },
      });
      if (code)
        await api.put(`/codes/${name}/versions/1`, { properties: { codeUri: `${STORE}/${blobsOf(code.code)}` } });
      const asset = (kind: string): string => `${workspacePath(workspace)}/${kind}/${name}/versions/1`;
      await api.put(`/batchEndpoints/${endpoint}/deployments/${deployment.name}`, {
        location: 'local',
        properties: {
          model: { referenceType: 'Id', assetId: asset('models') },
          ...(code && { codeConfiguration: { codeId: asset('codes'), scoringScript: code.scoring_script } }),
          miniBatchSize: deployment.settings.mini_batch_size,
          maxConcurrencyPerInstance: deployment.settings.max_concurrency_per_instance ?? 1,
          properties: deployment.properties ?? {},
        },
      });
      await putEndpoint({ defaults: { deploymentName: deployment.name } });
    },
  };
}

async function deploymentFile(project: string, folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, 'deployment.yml'), 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const all = await readdir(join(project, 'examples'), { recursive: true });
    const names = all.flatMap((path) => (basename(path) === 'deployment.yml' ? [path.split(/[\\/]/)[0] ?? ''] : []));
    throw new Error(`--example takes ${names.sort().join(', ')}, not '${name}'.`);
  }
}

/** Answers the number of files. */
async function uploadFolder(container: ContainerClient, folder: string, to: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const blob = path.slice(folder.length + 1).replaceAll('\\', '/');
    await container.getBlockBlobClient(`${to}/${blob}`).uploadData(await readFile(path));
  }
  return files.length;
}

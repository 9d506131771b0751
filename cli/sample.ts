import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { parse } from 'csv-parse/sync';
import type { Client, Workspace } from './client.ts';
import { workspacePath } from './client.ts';

/** The sample: UCI breast cancer data and a small model (examples/breast-cancer). */
export const SAMPLE = {
  endpoint: 'breast-cancer',
  deployment: 'onnx',
  model: 'breast-cancer',
  input: 'azureml://datastores/workspaceblobstore/paths/samples/breast-cancer/patients/',
} as const;

const CONTAINER = 'azureml-blobstore';
const DATA = 'samples/breast-cancer/patients';
const MODEL = 'samples/breast-cancer/model';

/** Without kept-alive connections: Azurite waits for them when it is to end. */
export const defaultContainer = (connectionString: string): ContainerClient =>
  BlobServiceClient.fromConnectionString(connectionString, { keepAliveOptions: { enable: false } }).getContainerClient(
    CONTAINER,
  );

/**
 * Uploads the sample's model and data into the default datastore, the data `copies` times under other names. Answers the
 * number of data files.
 */
export async function uploadSample(connectionString: string, project: string, copies = 1): Promise<number> {
  const container = defaultContainer(connectionString);
  await container.createIfNotExists();
  const folder = join(project, 'examples/breast-cancer');
  const upload = async (from: string, name: string, to: string): Promise<void> => {
    await container.getBlockBlobClient(to).uploadData(await readFile(join(folder, from, name)));
  };
  for (const name of await readdir(join(folder, 'model'))) await upload('model', name, `${MODEL}/${name}`);
  const names = await readdir(join(folder, 'data'));
  for (let copy = 0; copy < copies; copy++)
    for (const name of names) await upload('data', name, `${DATA}/${copy === 0 ? '' : `copy-${copy}-`}${name}`);
  return names.length * copies;
}

/** Creates endpoint, model and deployment and makes the deployment the default. Again: changes nothing. */
export async function createSample(api: Client, workspace: Workspace): Promise<void> {
  const endpoint = (deploymentName?: string) => ({
    location: 'local',
    properties: {
      authMode: 'aadToken',
      description: 'Tells benign from malignant tumours by 30 measurements of cell nuclei',
      ...(deploymentName === undefined ? {} : { defaults: { deploymentName } }),
    },
  });
  await api.put(`/batchEndpoints/${SAMPLE.endpoint}`, endpoint());
  await api.put(`/models/${SAMPLE.model}/versions/1`, {
    properties: { modelType: 'mlflow_model', modelUri: `azureml://datastores/workspaceblobstore/paths/${MODEL}` },
  });
  await api.put(`/batchEndpoints/${SAMPLE.endpoint}/deployments/${SAMPLE.deployment}`, {
    location: 'local',
    properties: {
      model: { referenceType: 'Id', assetId: `${workspacePath(workspace)}/models/${SAMPLE.model}/versions/1` },
      miniBatchSize: 2,
      maxConcurrencyPerInstance: 2,
    },
  });
  await api.put(`/batchEndpoints/${SAMPLE.endpoint}`, endpoint(SAMPLE.deployment));
}

/** The body of an invocation over the sample's data. */
export const sampleInvocation = {
  properties: { inputData: { patients: { jobInputType: 'UriFolder', uri: SAMPLE.input } } },
};

/** Downloads a file of the default datastore by its `azureml://` URI. */
export async function download(connectionString: string, uri: string): Promise<Buffer> {
  const path = decodeURIComponent(uri.replace(/^.*\/paths\//, ''));
  return defaultContainer(connectionString).getBlobClient(path).downloadToBuffer();
}

/** The share of predictions that equal the known labels, by file and row. Throws when they do not pair up one to one. */
export async function accuracy(predictions: Buffer, project: string): Promise<{ right: number; of: number }> {
  const truth = labelsByRow(await readFile(join(project, 'examples/breast-cancer/labels.csv')));
  const predicted = labelsByRow(predictions);
  if (predicted.size !== truth.size) throw new Error(`${predicted.size} predictions for ${truth.size} labels`);
  const right = [...truth].filter(([row, label]) => predicted.get(row) === label).length;
  return { right, of: truth.size };
}

function labelsByRow(csv: Buffer): Map<string, string> {
  const records: Record<string, string>[] = parse(csv, { columns: true });
  const labels = new Map(records.map((record) => [`${record['file']} ${record['row']}`, record['label'] ?? '']));
  if (labels.size !== records.length) throw new Error('a row appears twice');
  return labels;
}

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { JobBody, startApp, WORKSPACE, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

const matrix = model('matrix');
const ARM_STORE = `azureml:${WORKSPACE}/datastores/workspaceblobstore/paths`;

let app: App;

beforeAll(async () => {
  app = await startApp();
  await app.deploy('wire', matrix.files);
  await app.upload({ 'wire/a.csv': matrix.sample });
  await app.send('PUT', `${WORKSPACE}/data/wire/versions/1`, {
    properties: { dataType: 'uri_folder', dataUri: 'azureml://datastores/workspaceblobstore/paths/wire/' },
  });
});
afterAll(() => app.stop());

const rows = (text: string | undefined): number => (text ?? '').trim().split('\n').length - 1;

/** Invokes, waits, and answers the ended job with the number of rows in its output. */
async function score(body: unknown, headers: Record<string, string> = {}) {
  const made = await app.send('POST', '/endpoints/wire/jobs', body, headers);
  expect(made).toMatchObject({ status: 201 });
  const job = await app.finished('wire', JobBody.parse(made.body).name);
  const output = job.properties.outputData?.['score']?.uri ?? '';
  return { job, output, rows: rows(await app.text(output.replace(/^.*\/paths\//, ''))) };
}

const SAMPLE_ROWS = rows(matrix.sample);

it('the .NET sample: names in PascalCase, URIs of ARM form, a file as output', async () => {
  const path = `wire-out/${randomUUID()}.csv`;
  const { job, rows: count } = await score({
    Properties: {
      InputData: { uriFolderInput: { JobInputType: 'UriFolder', Uri: `${ARM_STORE}/wire/` } },
      OutputData: { uriFileOutput: { JobOutputType: 'UriFile', Uri: `${ARM_STORE}/${path}` } },
    },
  });
  expect([job.properties.status, count, rows(await app.text(path))]).toEqual(['Completed', SAMPLE_ROWS, SAMPLE_ROWS]);
});

it('numbers as strings, and settings in any case', async () => {
  const { job } = await score({
    properties: {
      INPUTDATA: { x: { jobinputtype: 'urifolder', URI: 'azureml://datastores/workspaceblobstore/paths/wire/' } },
      MiniBatchSize: '5',
      ErrorThreshold: '10',
      RetrySettings: { MaxRetries: '2', Timeout: 'PT1M' },
      Compute: { InstanceCount: '1' },
      OutputFileName: 'strings.csv',
    },
  });
  expect(job.properties).toMatchObject({
    status: 'Completed',
    miniBatchSize: 5,
    errorThreshold: 10,
    retrySettings: { maxRetries: 2, timeout: 'PT1M' },
    outputFileName: 'strings.csv',
  });
});

it.each([
  ['a data asset of ARM form', `${WORKSPACE}/data/wire/versions/1`],
  ['a data asset of ARM form with azureml:', `azureml:${WORKSPACE}/data/wire/versions/1`],
  ['a data asset by location and label', 'azureml://locations/local/workspaces/local/data/wire/versions/labels/latest'],
  ['a data asset by name and version', 'azureml:wire:1'],
  ['a data asset by name and label', 'azureml:wire@latest'],
  ['a folder of ARM form', `${ARM_STORE}/wire/`],
  [
    'the long form',
    `azureml:/${WORKSPACE}/datastores/workspaceblobstore/paths/wire/`.replace(
      '/providers/Microsoft.MachineLearningServices',
      '',
    ),
  ],
  ['the short form', 'azureml://datastores/workspaceblobstore/paths/wire/'],
])('the curl form with %s', async (_name, uri) => {
  const answered = await score({ properties: { InputData: { d: { JobInputType: 'UriFolder', Uri: uri } } } });
  expect([answered.job.properties.status, answered.rows]).toEqual(['Completed', SAMPLE_ROWS]);
});

it("the REST sample's dataset, and the deployment by header, which is echoed", async () => {
  const made = await app.send(
    'POST',
    '/endpoints/wire/jobs',
    {
      properties: {
        dataset: { dataInputType: 'DataUrl', Path: 'azureml://datastores/workspaceblobstore/paths/wire/' },
        outputDataset: { datastoreId: `${WORKSPACE}/datastores/workspaceblobstore`, path: `wire-out/${randomUUID()}` },
      },
    },
    { 'azureml-model-deployment': 'blue' },
  );
  expect([made.status, made.headers.get('azureml-model-deployment')]).toEqual([201, 'blue']);
  const job = await app.finished('wire', JobBody.parse(made.body).name);
  expect(job.properties.status).toBe('Completed');
});

it('a deployment of the REST sample, with numbers as strings', async () => {
  const path = `${WORKSPACE}/batchEndpoints/wire/deployments/rest?api-version=2022-05-01`;
  const made = await app.send('PUT', path, {
    location: 'local',
    properties: {
      model: { referenceType: 'Id', assetId: `${WORKSPACE}/models/wire/versions/1` },
      miniBatchSize: '5',
      errorThreshold: '10',
      maxConcurrencyPerInstance: '4',
      retrySettings: { maxRetries: '3', timeout: 'PT300S' },
      outputAction: 'appendRow',
      outputFileName: 'predictions.csv',
      loggingLevel: 'info',
    },
  });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    properties: { miniBatchSize: 5, errorThreshold: 10, maxConcurrencyPerInstance: 4, outputAction: 'AppendRow' },
  });
});

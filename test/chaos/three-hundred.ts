import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { JobBody, overFolder, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

/** Mini-batches of a job, one file each. */
export const FILES = 300;

const { files, sample } = model('matrix');
const [header = '', ...rows] = sample.trimEnd().split('\n');
const rowsOf = (file: number): readonly string[] => rows.slice(0, file % 5);
const nameOf = (file: number): string => `${String(file).padStart(3, '0')}.csv`;

/** Deploys a model over 300 mini-batches and four lanes, and uploads the input: 0 to 4 rows a file. */
export async function prepare(app: App): Promise<void> {
  await app.deploy('iris', files, { miniBatchSize: 1, instanceCount: 2, maxConcurrencyPerInstance: 2 });
  const content = (file: number): string => [header, ...rowsOf(file)].join('\n');
  await app.upload(
    Object.fromEntries(Array.from({ length: FILES }, (_, file) => [`in/${nameOf(file)}`, content(file)])),
  );
}

export async function invoke(app: App): Promise<string> {
  const { status, body } = await app.send('POST', '/endpoints/iris/jobs', overFolder('in/'));
  expect(status).toBe(201);
  return JobBody.parse(body).name;
}

/** Waits for the job's end and asserts all that it says and wrote; answers the sha256 of its predictions. */
export async function outcome(app: App, job: string): Promise<string> {
  const { error, properties } = await app.finished('iris', job);
  expect({ status: properties.status, error }).toEqual({ status: 'Completed', error: undefined });
  const predictions = (await app.text(`azureml/${job}/score/predictions.csv`)) ?? '';
  const places = predictions
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(0, 2).join(','));
  expect(places).toEqual(
    Array.from({ length: FILES }, (_, file) => rowsOf(file).map((_row, row) => `${nameOf(file)},${row}`)).flat(),
  );
  // Failures would be here: nothing may be lost by being called a failure.
  expect(await app.text(`azureml/${job}/score/predictions.csv.errors.jsonl`)).toBeUndefined();
  return createHash('sha256').update(predictions).digest('hex');
}

import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { JobBody, overFolder, type Answer, type App } from '../support/app.ts';
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

/** As the Python client does: the same request id at every try, so that a repeat is the same job. */
export async function invoke(app: App): Promise<string> {
  const headers = { 'repeatability_request-id': randomUUID() };
  const { status, body } = await untilAnswered(() =>
    app.send('POST', '/endpoints/iris/jobs', overFolder('in/'), headers),
  );
  expect(status).toBe(201);
  return JobBody.parse(body).name;
}

const TRIES = 20;

/** Storage faults reach a client as 503, which says that it may ask again. */
async function untilAnswered(ask: () => Promise<Answer>): Promise<Answer> {
  for (let round = 1; ; round++) {
    const answer = await ask();
    if (answer.status < 500 || round === TRIES) return answer;
    await wait(200);
  }
}

const END_WITHIN_MS = 120_000;

async function finished(app: App, job: string): Promise<JobBody> {
  for (const until = Date.now() + END_WITHIN_MS; ; await wait(100)) {
    const { body } = await untilAnswered(() => app.send('GET', `/endpoints/iris/jobs/${job}`));
    const found = JobBody.parse(body);
    if (['Completed', 'Failed', 'Canceled'].includes(found.properties.status)) return found;
    if (Date.now() > until) throw new Error(`job ${job} does not end: ${JSON.stringify(found.properties)}`);
  }
}

/** Waits for the job's end and asserts all that it says and wrote; answers the sha256 of its predictions. */
export async function outcome(app: App, job: string): Promise<string> {
  const { error, properties } = await finished(app, job);
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

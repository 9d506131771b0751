import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { JobBody, overFolder, type Answer, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

/** Mini-batches of a job. */
const MINI_BATCHES = 300;

const { files, sample } = model('matrix');
const [header = '', ...rows] = sample.trimEnd().split('\n');
const rowsOf = (file: number): readonly string[] => rows.slice(0, file % 5);
const nameOf = (file: number): string => `${String(file).padStart(3, '0')}.csv`;

/** What the mini-batches are: files of 0 to 4 rows, or ranges of two rows of one file. */
export type Way = 'files' | 'records';

interface Input {
  readonly files: Readonly<Record<string, string>>;
  /** File and row of each prediction. */
  readonly places: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
}

const numbers = Array.from({ length: MINI_BATCHES }, (_, number) => number);
const oneFile = numbers.flatMap((number) => [rows[number % rows.length] ?? '', rows[(number * 7) % rows.length] ?? '']);

const INPUTS: Readonly<Record<Way, Input>> = {
  files: {
    files: Object.fromEntries(numbers.map((file) => [nameOf(file), [header, ...rowsOf(file)].join('\n')])),
    places: numbers.flatMap((file) => rowsOf(file).map((_row, row) => `${nameOf(file)},${row}`)),
    settings: {},
  },
  records: {
    files: { 'one.csv': [header, ...oneFile].join('\n') },
    places: oneFile.map((_row, row) => `one.csv,${row}`),
    settings: { miniBatchSize: 2, properties: { 'batchpoint.miniBatchUnit': 'records' } },
  },
};

/** Deploys a model with four lanes, and uploads the inputs. */
export async function prepare(app: App): Promise<void> {
  await app.deploy('iris', files, { miniBatchSize: 1, instanceCount: 2, maxConcurrencyPerInstance: 2 });
  for (const [way, { files: input }] of Object.entries(INPUTS))
    await app.upload(Object.fromEntries(Object.entries(input).map(([name, content]) => [`${way}/${name}`, content])));
}

/** As the Python client does: the same request id at every try, so that a repeat is the same job. */
export async function invoke(app: App, way: Way): Promise<string> {
  const headers = { 'repeatability_request-id': randomUUID() };
  const { status, body } = await untilAnswered(() =>
    app.send('POST', '/endpoints/iris/jobs', overFolder(`${way}/`, INPUTS[way].settings), headers),
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
export async function outcome(app: App, way: Way, job: string): Promise<string> {
  const { error, properties } = await finished(app, job);
  expect({ status: properties.status, error }).toEqual({ status: 'Completed', error: undefined });
  const predictions = (await app.text(`azureml/${job}/score/predictions.csv`)) ?? '';
  const places = predictions
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(0, 2).join(','));
  expect(places).toEqual(INPUTS[way].places);
  // Failures would be here: nothing may be lost by being called a failure.
  expect(await app.text(`azureml/${job}/score/predictions.csv.errors.jsonl`)).toBeUndefined();
  return createHash('sha256').update(predictions).digest('hex');
}

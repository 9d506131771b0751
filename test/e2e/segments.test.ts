import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobBody, overFolder, startApp, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

let app: App;
const matrix = model('matrix');
const [header = '', row = ''] = matrix.sample.split('\n');

beforeAll(async () => {
  app = await startApp({ BATCHPOINT_SEGMENT_FILES: '10' });
  expect((await app.deploy('iris', matrix.files, { miniBatchSize: 1, maxConcurrencyPerInstance: 2 })).status).toBe(201);
});
afterAll(() => app.stop());

const nameOf = (file: number): string => `${String(file).padStart(4, '0')}.csv`;

/** Files of one to three rows. */
async function invoke(folder: string, count: number): Promise<string> {
  const files = Array.from({ length: count }, (_, file): [string, string] => [
    `${folder}/${nameOf(file)}`,
    [header, ...Array<string>((file % 3) + 1).fill(row), ''].join('\n'),
  ]);
  await app.upload(Object.fromEntries(files));
  const { status, body } = await app.send('POST', '/endpoints/iris/jobs', overFolder(`${folder}/`));
  expect(status).toBe(201);
  return JobBody.parse(body).name;
}

const placesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, file) => file).flatMap((file) =>
    Array.from({ length: (file % 3) + 1 }, (_, place) => `${nameOf(file)},${place}`),
  );

async function placesIn(job: string): Promise<string[]> {
  const text = (await app.text(`azureml/${job}/score/predictions.csv`)) ?? '';
  const [, ...lines] = text.trimEnd().split('\n');
  return lines.map((line) => line.split(',').slice(0, 2).join(','));
}

describe('an input that is planned in segments', () => {
  it('gives one output with every row once, in input order, and totals that are final at the end', async () => {
    const job = await app.finished('iris', await invoke('many', 35));
    expect(job.properties).toMatchObject({
      status: 'Completed',
      properties: { 'batchpoint.files': '35', 'batchpoint.filesDone': '35', 'batchpoint.rows': '69' },
    });
    expect(job.properties.properties).not.toHaveProperty('batchpoint.listing');
    expect(await placesIn(job.name)).toEqual(placesOf(35));
  });

  it('says while it is listed that there is more; a job that is cancelled then gives what it had finished', async () => {
    const name = await invoke('cancelled', 150);
    const look = async () => JobBody.parse((await app.send('GET', `/endpoints/iris/jobs/${name}`)).body).properties;
    await expect
      .poll(look, { interval: 20, timeout: 30_000 })
      .toMatchObject({ properties: { 'batchpoint.listing': 'true' } });
    await expect.poll(async () => Number((await look()).properties['batchpoint.filesDone'])).toBeGreaterThan(0);
    expect((await app.send('POST', `/endpoints/iris/jobs/${name}/cancel`)).status).toBeLessThan(300);
    const { properties } = await app.finished('iris', name);
    expect(properties.status).toBe('Canceled');
    expect(await placesIn(name)).toEqual([]);
    expect(await app.send('POST', `/endpoints/iris/jobs/${name}/salvage`)).toMatchObject({ status: 200 });
    const salvaged = await placesIn(name);
    const files = [...new Set(salvaged.map((place) => place.split(',')[0]))];
    expect(files.length).toBeGreaterThan(0);
    expect(salvaged).toEqual(placesOf(150).filter((place) => files.includes(place.split(',')[0])));
  });
});

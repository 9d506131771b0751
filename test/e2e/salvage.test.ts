import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobBody, overFolder, startApp, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

let app: App;
const matrix = model('matrix');

beforeAll(async () => {
  app = await startApp();
  const settings = { miniBatchSize: 1, errorThreshold: 0 };
  expect((await app.deploy('iris', matrix.files, settings)).status).toBeLessThan(300);
});
afterAll(() => app.stop());

const run = async (folder: string, files: Readonly<Record<string, string>>): Promise<JobBody> => {
  await app.upload(Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text])));
  const { body } = await app.send('POST', '/endpoints/iris/jobs', overFolder(`${folder}/`));
  return app.finished('iris', JobBody.parse(body).name);
};

const salvage = (name: string) => app.send('POST', `/endpoints/iris/jobs/${name}/salvage`);
const outputOf = (name: string): string => `azureml/${name}/score/predictions.csv`;

describe('salvage', () => {
  const good = Object.fromEntries([0, 1, 2].map((i) => [`part-${i}.csv`, matrix.sample]));

  it('gives the output of what was finished, with the bytes that a whole job gives, and marks it', async () => {
    const whole = await run('whole', good);
    const failed = await run('part', { ...good, 'part-3.csv': 'bad\nbad\n', 'part-4.csv': matrix.sample });
    expect(failed).toMatchObject({ properties: { status: 'Failed' }, error: { code: 'ErrorThresholdExceeded' } });
    expect(await app.text(outputOf(failed.name))).toBeUndefined();

    const answer = await salvage(failed.name);
    expect([answer.status, answer.body]).toMatchObject([
      200,
      {
        error: { code: 'ErrorThresholdExceeded' },
        properties: {
          status: 'Failed',
          outputData: { score: { uri: expect.stringContaining(outputOf(failed.name)) as string } },
          properties: {
            'batchpoint.complete': 'false',
            'batchpoint.files': '5',
            'batchpoint.filesDone': '3',
            'batchpoint.filesFailed': '1',
          },
        },
      },
    ]);
    expect(await app.text(outputOf(failed.name))).toBe(await app.text(outputOf(whole.name)));
    const { metadata } = await app.data.getBlobClient(outputOf(failed.name)).getProperties();
    expect(metadata).toMatchObject({ batchpoint_complete: 'false', batchpoint_job: failed.name });
    const errors = await app.data.getBlobClient(`${outputOf(failed.name)}.errors.jsonl`).getProperties();
    expect(errors.metadata).toMatchObject({ batchpoint_complete: 'false' });
    expect((await salvage(failed.name)).body).toEqual(answer.body);
    expect(await salvage(whole.name)).toMatchObject({ status: 409 });
  });
});

import { randomUUID } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { JobBody, overFolder, startApp, WORKSPACE, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

let app: App;
const matrix = model('matrix');
const columns = model('one-input-per-column');

beforeAll(async () => {
  app = await startApp();
  expect(
    (await app.deploy('iris', matrix.files, { miniBatchSize: 2, maxConcurrencyPerInstance: 3 })).status,
  ).toBeLessThan(300);
  expect((await app.deploy('plans', columns.files)).status).toBeLessThan(300);
});
afterAll(() => app.stop());

const invoke = async (endpoint: string, body: unknown, headers: Record<string, string> = {}): Promise<JobBody> => {
  const answer = await app.send('POST', `/endpoints/${endpoint}/jobs`, body, headers);
  expect(answer).toMatchObject({ status: 201 });
  return JobBody.parse(answer.body);
};

const outputPath = (job: JobBody): string =>
  (job.properties.outputData?.['score']?.uri ?? '').replace(/^.*\/paths\//, '');

const records = (csv: string | undefined): Record<string, string>[] => parse(csv ?? '', { columns: true });

const JobList = z.object({
  value: z.array(z.object({ name: z.string(), systemData: z.object({ createdAt: z.string() }) })),
});

/** What the fixture's Python predicted, as our output names it. */
const expected = (file: string, csv: string) =>
  records(csv).map((record, row) => ({
    file,
    row: String(row),
    label: record['label'],
    probabilities: [0, 1, 2].map((i) => Number(record[`probability_${i}`])),
  }));

const predicted = (csv: string | undefined) =>
  records(csv).map((record) => ({
    file: record['file'],
    row: record['row'],
    label: record['label'],
    probabilities: [0, 1, 2].map((i) => Number(record[`probabilities_${i}`])),
  }));

const close = (rows: ReturnType<typeof predicted>) =>
  rows.map((row) => ({ ...row, probabilities: row.probabilities.map((p) => expect.closeTo(p, 6) as number) }));

describe('a scoring job', () => {
  it('predicts what Python predicts for every row of many files, once, in input order', async () => {
    const names = Array.from({ length: 9 }, (_, i) => `part-${i}.csv`);
    await app.upload(Object.fromEntries(names.map((name) => [`many/${name}`, matrix.sample])));
    const job = await app.finished('iris', (await invoke('iris', overFolder('many/'))).name);
    expect(job.properties.status).toBe('Completed');
    expect(job.properties.properties).toMatchObject({
      'batchpoint.files': '9',
      'batchpoint.filesDone': '9',
      'batchpoint.rows': '180',
      'batchpoint.filesFailed': '0',
    });
    const output = await app.text(outputPath(job));
    expect(output?.split('\n')[0]).toBe('file,row,label,probabilities_0,probabilities_1,probabilities_2');
    expect(predicted(output)).toEqual(close(names.flatMap((name) => expected(name, matrix.expected))));
  });

  it('feeds strings, integers and floats to a model with one input per column', async () => {
    await app.upload({ 'plans/a.csv': columns.sample });
    const job = await app.finished('plans', (await invoke('plans', overFolder('plans'))).name);
    expect(predicted(await app.text(outputPath(job)))).toEqual(close(expected('a.csv', columns.expected)));
  });

  it('scores one file, to the path that was asked for', async () => {
    await app.upload({ 'one/a.csv': matrix.sample, 'one/b.csv': 'not,read\n' });
    // Another run of the tests on the same app must find its place free.
    const path = `results/${randomUUID()}.csv`;
    const job = await app.finished(
      'iris',
      (
        await invoke('iris', {
          Properties: {
            InputData: {
              any: { JobInputType: 'urifile', Uri: 'azureml://datastores/workspaceblobstore/paths/one/a.csv' },
            },
            OutputData: {
              any: { JobOutputType: 'UriFile', Uri: `azureml://datastores/workspaceblobstore/paths/${path}` },
            },
            MiniBatchSize: '1',
          },
        })
      ).name,
    );
    expect(job.properties.status).toBe('Completed');
    expect(predicted(await app.text(path))).toEqual(close(expected('a.csv', matrix.expected)));
  });

  it("writes Azure ML's own form when the deployment asks for it", async () => {
    const answer = await app.send('PUT', `${WORKSPACE}/batchEndpoints/iris/deployments/spaces`, {
      properties: {
        model: { referenceType: 'Id', assetId: `${WORKSPACE}/models/iris/versions/1` },
        properties: { 'batchpoint.outputFormat': 'azureml', 'batchpoint.recursive': 'true' },
      },
    });
    expect([200, 201]).toContain(answer.status);
    await app.upload({ 'spaces/x/my file.csv': matrix.sample.split('\n').slice(0, 2).join('\n') });
    const job = await invoke('iris', overFolder('spaces/'), { 'azureml-model-deployment': 'spaces' });
    const text = await app.text(outputPath(await app.finished('iris', job.name)));
    expect(text).toMatch(/^"x\/my file\.csv" 0 2 \S+ \S+ \S+\n$/);
  });

  it('puts bad records and files into the errors file and the job, and the rest into the output', async () => {
    const [header = '', first = ''] = matrix.sample.split('\n');
    const rows = [first, '1,2', first, '1,2,three,4', '1,2,,4'];
    const atRow = (row: number) => `${[header, ...rows.slice(0, row)].join('\n')}\n`.length;
    await app.upload({
      'bad/a.csv': `${[header, ...rows].join('\n')}\n`,
      'bad/b.csv': Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]),
      'bad/c.csv': 'some,other,columns\n1,2,3\n',
      'bad/d.csv': '',
    });
    const job = await app.finished('iris', (await invoke('iris', overFolder('bad/'))).name);
    expect(job.properties.status).toBe('Completed');
    expect(predicted(await app.text(outputPath(job))).map(({ file, row }) => [file, row])).toEqual([
      ['a.csv', '0'],
      ['a.csv', '2'],
    ]);
    const lines = ((await app.text(`${outputPath(job)}.errors.jsonl`)) ?? '').trimEnd().split('\n');
    const errors = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(errors).toMatchObject([
      { file: 'a.csv', row: 1, line: 3, offset: atRow(1), code: 'TooFewColumns', attempts: 1 },
      { file: 'a.csv', row: 3, line: 5, offset: atRow(3), code: 'NotANumber', attempts: 1 },
      { file: 'a.csv', row: 4, line: 6, offset: atRow(4), code: 'MissingValue', attempts: 1 },
      { file: 'b.csv', code: 'NotCsv', attempts: 1 },
      { file: 'c.csv', code: 'MissingColumns', attempts: 1 },
    ]);
    expect(JSON.parse(job.properties.properties['batchpoint.failures'] ?? '')).toEqual(errors);
    expect(job.properties.properties).toMatchObject({
      'batchpoint.filesDone': '2',
      'batchpoint.filesFailed': '2',
      'batchpoint.recordsFailed': '3',
    });
  });

  it('fails with one clear line for an empty folder, an output that exists, and an input of which nothing succeeds', async () => {
    await app.upload({ 'nothing/a.csv': 'x\n1\n', 'taken.csv': 'mine' });
    const reasons = [];
    for (const body of [
      overFolder('no-such-folder/'),
      overFolder('nothing/'),
      overFolder('many/', {
        outputData: { o: { jobOutputType: 'UriFile', uri: 'azureml://datastores/workspaceblobstore/paths/taken.csv' } },
      }),
    ]) {
      const job = await app.finished('iris', (await invoke('iris', body)).name);
      expect(job.properties.status).toBe('Failed');
      reasons.push(job.error?.code);
    }
    expect(reasons).toEqual(['InputEmpty', 'NothingSucceeded', 'OutputExists']);
    expect(await app.text('taken.csv')).toBe('mine');
  });

  it('makes one job of the same request sent twice, and refuses its id for another', async () => {
    const id = { 'repeatability_request-id': randomUUID() };
    const first = await invoke('iris', overFolder('many/'), id);
    const second = await invoke('iris', overFolder('many/'), id);
    expect(second.name).toBe(first.name);
    const other = await app.send('POST', '/endpoints/iris/jobs', overFolder('one/'), id);
    expect(other.status).toBe(409);
    const job = await app.finished('iris', first.name);
    expect(job.properties.properties['batchpoint.rows']).toBe('180');
  });

  it('lists jobs newest first and finds one by whatever stands in front of its name', async () => {
    await app.finished('plans', (await invoke('plans', overFolder('plans'))).name);
    const job = await app.finished('plans', (await invoke('plans', overFolder('plans'))).name);
    const list = await app.send('GET', '/endpoints/plans/jobs');
    const times = JobList.parse(list.body).value.map(({ systemData }) => systemData.createdAt);
    expect(JobList.parse(list.body).value[0]?.name).toBe(job.name);
    expect(times.length).toBeGreaterThan(1);
    expect(times).toEqual(times.toSorted().reverse());
    for (const path of [job.id, `/${job.id}`, `deployments/blue/jobs/${job.name}/`])
      expect((await app.send('GET', `/endpoints/plans/jobs/${path}`)).body).toMatchObject({ name: job.name });
  });

  it('is cancelled on request and leaves no output', async () => {
    await app.upload(
      Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`cancel/${i}.csv`, matrix.sample.repeat(1)])),
    );
    const job = await invoke('iris', overFolder('cancel/', { miniBatchSize: 1, maxConcurrencyPerInstance: 1 }));
    const answer = await app.send('POST', `/endpoints/iris/jobs/${job.name}/cancel`);
    expect(answer.status).toBe(200);
    expect(JobBody.parse(answer.body).properties.status).toMatch(/^(CancelRequested|Canceled)$/);
    const ended = await app.finished('iris', job.name);
    expect(ended.properties.status).toBe('Canceled');
    expect(await app.text(`azureml/${job.name}/score/predictions.csv`)).toBeUndefined();
    const again = await app.send('POST', `${WORKSPACE}/jobs/${job.name}/cancel`);
    expect(again.status).toBe(202);
  });

  it('refuses a model that is not ONNX when the deployment is created', async () => {
    const answer = await app.deploy('broken', { 'model.onnx': new TextEncoder().encode('this is not a model') });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'UserError' } } });
    expect((await app.send('GET', `${WORKSPACE}/batchEndpoints/broken/deployments/blue`)).status).toBe(404);
  });
});

import { setTimeout as wait } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobBody, overFolder, startApp, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

/** A host elsewhere needs the setting BATCHPOINT_INBOX too; the other one belongs to the embedded host. */
const SETTINGS = { BATCHPOINT_INBOX: 'azureml-blobstore/incoming', BATCHPOINT_HOST_BLOB_SCAN: '00:00:00.200' };

const WITHIN_MS = 60_000;
const PATIENCE = 90_000;

let app: App;
const matrix = model('matrix');

beforeAll(async () => {
  app = await startApp(SETTINGS);
  const watching = (watch: unknown) => ({ properties: { 'batchpoint.watch': JSON.stringify(watch) } });
  const incoming = watching({ prefix: 'incoming', pattern: '*.csv', maxWaitSeconds: 2 });
  expect((await app.deploy('watching', matrix.files, incoming)).status).toBe(201);
  expect((await app.deploy('told', matrix.files, watching({ prefix: 'told', maxFiles: 1 }))).status).toBe(201);
  expect((await app.deploy('asked', matrix.files)).status).toBe(201);
});
afterAll(() => app.stop());

/** Asks again and again until there is an answer. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + WITHIN_MS; ; await wait(200)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error('it does not come about');
  }
}

const JobList = z.object({ value: z.array(JobBody) });

const jobsOf = async (endpoint: string): Promise<JobBody[]> =>
  JobList.parse((await app.send('GET', `/endpoints/${endpoint}/jobs`)).body).value;

/** File and row of every prediction of the endpoint's jobs. */
async function predicted(endpoint: string): Promise<string[]> {
  const rows: string[] = [];
  for (const { name } of await jobsOf(endpoint)) {
    const job = await app.finished(endpoint, name);
    expect(job.properties.status).toBe('Completed');
    const csv = await app.text((job.properties.outputData?.['score']?.uri ?? '').replace(/^.*\/paths\//, ''));
    const records = parse(csv ?? '', { columns: true });
    for (const { file, row } of z.array(z.looseObject({ file: z.string(), row: z.string() })).parse(records))
      rows.push(`${file} ${row}`);
  }
  return rows.sort();
}

const send = (text: string) => app.queue('invoke').sendMessage(Buffer.from(text).toString('base64'));

/** Takes the messages of a poison queue, once there are some. */
const poisoned = (queue: string): Promise<string[]> =>
  until(async () => {
    const poison = app.queue(`${queue}-poison`);
    if (!(await poison.exists())) return undefined;
    const { receivedMessageItems } = await poison.receiveMessages({ numberOfMessages: 32 });
    for (const { messageId, popReceipt } of receivedMessageItems) await poison.deleteMessage(messageId, popReceipt);
    const texts = receivedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString());
    return texts.length > 0 ? texts : undefined;
  });

describe('a watched folder', () => {
  it(
    'has each row of each blob that is uploaded predicted once',
    async () => {
      const names = Array.from({ length: 25 }, (_, n) => `part-${String(n).padStart(2, '0')}.csv`);
      await app.upload({ 'incoming/notes.txt': 'no data', 'elsewhere/part.csv': matrix.sample });
      await app.upload(Object.fromEntries(names.map((name) => [`incoming/${name}`, matrix.sample])));
      const rows = matrix.sample.trim().split('\n').length - 1;
      const expected = names.flatMap((name) => Array.from({ length: rows }, (_, row) => `${name} ${row}`)).sort();
      const all = await until(async () => {
        const found = await predicted('watching');
        return found.length >= expected.length ? found : undefined;
      });
      expect(all).toEqual(expected);
    },
    PATIENCE,
  );

  it(
    'has a blob that is written again predicted again, and no other',
    async () => {
      const before = (await predicted('watching')).length;
      const [head = '', first = ''] = matrix.sample.split('\n');
      await app.upload({ 'incoming/part-03.csv': `${head}\n${first}\n` });
      const after = await until(async () => {
        const found = await predicted('watching');
        return found.length > before ? found : undefined;
      });
      expect(after).toHaveLength(before + 1);
      expect(after.filter((row) => row === 'part-03.csv 0')).toHaveLength(2);
    },
    PATIENCE,
  );
});

describe('the queue of events', () => {
  const tell = (event: unknown) =>
    app.queue('blob-events').sendMessage(Buffer.from(JSON.stringify(event)).toString('base64'));

  it(
    'takes what Event Grid sends, once however often it sends it',
    async () => {
      // Outside the inbox: nobody else tells of it.
      const blob = app.data.getBlockBlobClient('told/by hand.csv');
      const { etag = '' } = await blob.uploadData(Buffer.from(matrix.sample));
      const data = { api: 'PutBlob', eTag: etag.replaceAll('"', ''), url: blob.url, blobType: 'BlockBlob' };
      const shared = { id: '1', subject: '/blobServices/default/containers/azureml-blobstore/blobs/told', data };
      await tell({ ...shared, eventType: 'Microsoft.Storage.BlobCreated', topic: '/t', dataVersion: '' });
      await tell({ ...shared, type: 'Microsoft.Storage.BlobCreated', source: '/s', specversion: '1.0' });
      const rows = matrix.sample.trim().split('\n').length - 1;
      const found = await until(async () => {
        const answer = await predicted('told');
        return answer.length > 0 ? answer : undefined;
      });
      expect(found).toEqual(Array.from({ length: rows }, (_, row) => `by hand.csv ${row}`).sort());
    },
    PATIENCE,
  );

  it(
    'keeps what is no event as poison',
    async () => {
      await tell({ no: 'event' });
      expect(await poisoned('blob-events')).toEqual(['{"no":"event"}']);
    },
    PATIENCE,
  );
});

describe('the invoke queue', () => {
  it(
    'starts the job that a message asks for',
    async () => {
      await app.upload({ 'asked/in.csv': matrix.sample });
      await send(JSON.stringify({ endpoint: 'asked', body: overFolder('asked/') }));
      const [job] = await until(async () => {
        const jobs = await jobsOf('asked');
        return jobs.length > 0 ? jobs : undefined;
      });
      expect((await app.finished('asked', job?.name ?? '')).properties.status).toBe('Completed');
    },
    PATIENCE,
  );

  it(
    'keeps a message that asks for no job as poison, and starts nothing',
    async () => {
      const before = await jobsOf('asked');
      const message = JSON.stringify({ endpoint: 'nobody', body: overFolder('asked/') });
      await send(message);
      expect(await poisoned('invoke')).toEqual([message]);
      expect(await jobsOf('asked')).toHaveLength(before.length);
    },
    PATIENCE,
  );
});

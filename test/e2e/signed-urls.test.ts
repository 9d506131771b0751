import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import {
  BlobServiceClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
  type ContainerClient,
} from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack, type Stack } from '../../cli/stack.ts';
import { connectedApp, JobBody, WORKSPACE, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

/** Jobs over a caller's own container by signed URLs; the signatures are nowhere else. */

const DAY = 86_400_000;
const { files, sample, expected } = model('matrix');

let folder: string;
let stack: Stack;
let app: App;
let theirs: ContainerClient;
const printed: string[] = [];
const answers: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-signed-'));
  stack = await startStack({
    port: 0,
    storagePort: 0,
    keyFile: join(folder, 'key.json'),
    settings: { BATCHPOINT_SLICE_SECONDS: '0.5', BATCHPOINT_LOG_LEVEL: 'debug', BATCHPOINT_MAX_JOBS_PER_ENDPOINT: '1' },
    onOutput: (text) => printed.push(text),
  });
  const sign = (audience: string) => stack.issuer.sign({ audience });
  app = await connectedApp(stack.url, stack.connectionString, sign, () => stack.stop());
  theirs = BlobServiceClient.fromConnectionString(stack.connectionString).getContainerClient('theirs');
  await theirs.create();
  await app.deploy('matrix', files);
}, 120_000);
afterAll(async () => {
  await app.stop();
  await rm(folder, { recursive: true, force: true });
});

const call = async (...sent: Parameters<App['send']>) => {
  const answer = await app.send(...sent);
  answers.push(JSON.stringify([answer.body, [...answer.headers]]));
  return answer;
};

/** A signature of the container, as a query and alone. */
function signature(rights: string, days = 7): { readonly query: string; readonly secrets: readonly string[] } {
  const { credential, accountName } = BlobServiceClient.fromConnectionString(stack.connectionString);
  if (!(credential instanceof StorageSharedKeyCredential)) throw new Error('no key');
  const query = generateBlobSASQueryParameters(
    {
      containerName: theirs.containerName,
      permissions: ContainerSASPermissions.parse(rights),
      expiresOn: new Date(Date.now() + days * DAY),
    },
    credential,
  ).toString();
  const sig = new URLSearchParams(query).get('sig') ?? '';
  if (sig.length < 40) throw new Error(`${accountName} signs nothing`);
  return { query, secrets: [sig, encodeURIComponent(sig)] };
}

const invocation = (input: string, output: string) => ({
  properties: {
    inputData: { in: { jobInputType: 'UriFolder', uri: input } },
    outputData: { out: { jobOutputType: 'UriFile', uri: output } },
  },
});

/** Everything that the account holds: blobs with their names and metadata, rows of tables, messages of queues. */
async function everythingStored(): Promise<string[]> {
  const found: string[] = [];
  const blobs = BlobServiceClient.fromConnectionString(stack.connectionString);
  for await (const { name } of blobs.listContainers())
    for await (const blob of blobs.getContainerClient(name).listBlobsFlat({ includeMetadata: true })) {
      const content = await blobs.getContainerClient(name).getBlobClient(blob.name).downloadToBuffer();
      found.push(`${name}/${blob.name} ${JSON.stringify(blob.metadata)}`, content.toString('latin1'));
    }
  const options = { allowInsecureConnection: true };
  for await (const { name = '' } of TableServiceClient.fromConnectionString(
    stack.connectionString,
    options,
  ).listTables())
    for await (const row of TableClient.fromConnectionString(stack.connectionString, name, options).listEntities())
      found.push(JSON.stringify(row));
  const queues = QueueServiceClient.fromConnectionString(stack.connectionString);
  for await (const { name } of queues.listQueues()) {
    const { peekedMessageItems } = await queues.getQueueClient(name).peekMessages({ numberOfMessages: 32 });
    found.push(...peekedMessageItems.map(({ messageText }) => messageText));
  }
  return found;
}

/** Of the texts those that hold a secret, as it is or in base64. */
const leaks = (texts: readonly string[], secrets: readonly string[]): string[] =>
  texts.filter((text) =>
    secrets.some(
      (secret) => text.includes(secret) || text.includes(Buffer.from(secret).toString('base64').slice(2, -4)),
    ),
  );

it('reads and writes what the caller signed for, and keeps the signatures to itself', async () => {
  for (const part of ['1', '2']) await theirs.getBlockBlobClient(`in/${part}.csv`).uploadData(Buffer.from(sample));
  const read = signature('rl');
  const write = signature('rwd');
  const sent = invocation(`${theirs.url}/in/?${read.query}`, `${theirs.url}/out/p.csv?${write.query}`);
  const headers = { 'Idempotency-Key': 'once' };
  const made = await call('POST', '/endpoints/matrix/jobs', sent, headers);
  expect(made.status).toBe(201);
  const { name, properties } = JobBody.parse(made.body);
  expect(properties).toMatchObject({ inputData: { in: { uri: `${theirs.url}/in/` } } });

  const job = await app.finished('matrix', name);
  expect(job.properties).toMatchObject({
    status: 'Completed',
    inputData: { in: { uri: `${theirs.url}/in/` } },
    outputData: { score: { uri: `${theirs.url}/out/p.csv` } },
    properties: { 'batchpoint.filesDone': '2' },
  });
  const lines = (text: string): number => text.trimEnd().split('\n').length - 1;
  const written = (await theirs.getBlobClient('out/p.csv').downloadToBuffer()).toString('utf8');
  expect(lines(written)).toBe(2 * lines(expected));

  // A signature is no part of what was asked for: a new one is the same request.
  const again = invocation(`${theirs.url}/in/?${signature('rl', 8).query}`, sent.properties.outputData.out.uri);
  expect(JobBody.parse((await call('POST', '/endpoints/matrix/jobs', again, headers)).body).name).toBe(name);

  // What fails with a signature in hand: storage refuses it, the output is there, it ends too soon, it is where none is taken.
  const forged = read.query.replace(/sig=[^&]*/, `sig=${encodeURIComponent(Buffer.alloc(32, 7).toString('base64'))}`);
  const failures = [
    invocation(`${theirs.url}/in/?${forged}`, `${theirs.url}/forged/p.csv?${write.query}`),
    invocation(`${theirs.url}/in/?${read.query}`, `${theirs.url}/out/p.csv?${write.query}`),
  ];
  for (const body of failures) {
    const failed = JobBody.parse((await call('POST', '/endpoints/matrix/jobs', body)).body);
    const { error, properties: at } = await app.finished('matrix', failed.name);
    expect([at.status, error?.code]).toEqual(['Failed', body === failures[0] ? 'StorageRefused' : 'OutputExists']);
    answers.push(JSON.stringify(error));
  }
  const short = signature('rl', 5);
  const url = `${theirs.url}/in/?${short.query}`;
  const refused = [
    await call('POST', '/endpoints/matrix/jobs', invocation(url, `${theirs.url}/out2/p.csv?${write.query}`)),
    await call('PUT', `${WORKSPACE}/data/theirs/versions/1`, { properties: { dataType: 'uri_folder', dataUri: url } }),
    await call('PUT', `${WORKSPACE}/models/theirs/versions/1`, { properties: { modelUri: url } }),
    await call('PUT', `${WORKSPACE}/jobs/theirs`, {
      properties: {
        jobType: 'Command',
        command: 'true',
        environmentId: `${WORKSPACE}/environments/e/versions/1`,
        inputs: { in: { jobInputType: 'uri_folder', uri: url } },
      },
    }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([400, 400, 400, 400]);

  await call('GET', `/endpoints/matrix/jobs/${name}`);
  await call('GET', '/endpoints/matrix/jobs');
  await call('GET', `${WORKSPACE}/jobs/${name}`);
  await call('GET', `/history/v1.0${WORKSPACE}/runs/${name}/details`);
  const secrets = [...read.secrets, ...write.secrets, ...short.secrets, new URLSearchParams(forged).get('sig') ?? ''];
  expect(leaks([JSON.stringify(sent)], secrets)).toHaveLength(1);
  const stored = await everythingStored();
  // It is looked at what is there: the job's spec among it.
  expect(stored.some((text) => text.includes(`"name":"${name}"`))).toBe(true);
  expect(printed.join('')).toContain(name);
  expect(leaks(stored, secrets)).toEqual([]);
  expect(leaks(answers, secrets)).toEqual([]);
  expect(leaks([printed.join('')], secrets)).toEqual([]);
}, 120_000);

it('refuses a running job too many, and a body too large, by HTTP', async () => {
  await app.upload({ 'slow/a.csv': sample });
  const body = invocation(
    'azureml://datastores/workspaceblobstore/paths/slow/',
    'azureml://datastores/workspaceblobstore/paths/slow-out/p.csv',
  );
  const [one, two] = await Promise.all([1, 2].map(() => app.send('POST', '/endpoints/matrix/jobs', body)));
  const [made, refused] = one?.status === 201 ? [one, two] : [two, one];
  expect([made?.status, refused?.status]).toEqual([201, 429]);
  expect(refused?.headers.get('retry-after')).toBe('30');
  expect(refused?.body).toMatchObject({ error: { code: 'TooManyRequests' } });
  await app.finished('matrix', JobBody.parse(made?.body).name);
  const large = { properties: { description: 'x'.repeat(1024 * 1024) } };
  expect((await app.send('PUT', `${WORKSPACE}/batchEndpoints/large`, large)).status).toBe(413);
  expect((await app.send('POST', '/endpoints/matrix/jobs', body)).status).toBe(201);
}, 60_000);

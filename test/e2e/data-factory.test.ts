import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';
import { Pipeline, PipelineFailed, runPipeline } from '../support/adf-pipeline.ts';
import { JobBody, startApp, type App } from '../support/app.ts';
import { startHttp } from '../support/http-server.ts';
import { model } from '../support/models.ts';

const TENANT = 'a-tenant';
const SECRET = 'se&cret=';
const matrix = model('matrix');

let app: App;
let login: Awaited<ReturnType<typeof startTokenServer>>;
let pipeline: Pipeline;

beforeAll(async () => {
  app = await startApp();
  login = await startTokenServer();
  pipeline = Pipeline.parse(JSON.parse(await readFile(`${PROJECT}/infra/adf/run-batch-endpoint.json`, 'utf8')));
  await app.deploy('factory', matrix.files);
  await app.upload({ 'factory/a.csv': matrix.sample, 'broken/a.csv': 'a,b\n1,2\n' });
});
afterAll(async () => {
  await login.stop();
  await app.stop();
});

/** Client credentials as Entra ID's v1 endpoint takes them; the development issuer signs. */
function startTokenServer() {
  return startHttp((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const form = new URLSearchParams(body);
      const known =
        request.method === 'POST' &&
        request.url === `/${TENANT}/oauth2/token` &&
        form.get('grant_type') === 'client_credentials' &&
        form.get('client_id') === 'a-client' &&
        form.get('client_secret') === SECRET;
      if (!known) {
        response.writeHead(401).end('{"error":"invalid_client"}');
        return;
      }
      void app.token(form.get('resource') ?? '').then((token) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ token_type: 'Bearer', expires_in: '3599', access_token: token }));
      });
    });
  });
}

/** What a person enters when the pipeline is run. */
const parameters = (input: string, output: string) => ({
  resource: 'api://batchpoint',
  tenant_id: TENANT,
  client_id: 'a-client',
  client_secret: SECRET,
  login_uri: login.url,
  endpoint_uri: `${app.url}/endpoints/factory/jobs`,
  poll_interval: 5,
  endpoint_input_uri: `azureml://datastores/workspaceblobstore/paths/${input}`,
  endpoint_output_uri: `azureml://datastores/workspaceblobstore/paths/${output}`,
});

it('has the parameters of the template that it replaces', () => {
  expect(Object.keys(pipeline.properties.parameters)).toEqual(
    expect.arrayContaining([
      ...['tenant_id', 'client_id', 'client_secret', 'endpoint_uri', 'poll_interval'],
      ...['endpoint_input_uri', 'endpoint_input_type', 'endpoint_output_uri'],
    ]),
  );
});

it('scores a folder into the file that was asked for', async () => {
  const output = `factory-out/${randomUUID()}.csv`;
  const outputs = await runPipeline(pipeline, parameters('factory/', output));
  expect(JobBody.parse(outputs.get('Check status')).properties.status).toBe('Completed');
  expect((await app.text(output))?.trim().split('\n')).toHaveLength(matrix.sample.trim().split('\n').length);
});

it('fails with a job that fails, also with the token that the template asked for', async () => {
  const { resource: _own, ...asBefore } = parameters('broken/', `factory-out/${randomUUID()}.csv`);
  const run = runPipeline(pipeline, asBefore);
  await expect(run).rejects.toThrow(/^Job batchjob-\S+ has ended as Failed$/);
});

it('fails with a wrong secret before anything is scored', async () => {
  const run = runPipeline(pipeline, { ...parameters('factory/', 'never.csv'), client_secret: 'guess' });
  await expect(run).rejects.toThrow(PipelineFailed);
});

it("ends its loop for a job that was canceled, which Microsoft's does not", () => {
  const loop = pipeline.properties.activities.find((activity) => activity.type === 'Until');
  const { value } = z.object({ value: z.string() }).parse(loop?.typeProperties.expression);
  for (const end of ['Completed', 'Failed', 'Canceled']) expect(value).toContain(`'${end}'`);
});

it.each([
  ['the name', (job: JobBody) => `/${job.name}`],
  ['the whole ARM id', (job: JobBody) => `/${job.id}`],
  ['the whole ARM id, a slash and any api-version', (job: JobBody) => `${job.id}/?api-version=1999-01-01`],
])('a job is polled by %s appended to the URL', async (_name, path) => {
  const jobs = '/endpoints/factory/jobs';
  const made = await app.send('POST', `${jobs}?api-version=whatever`, {
    properties: {
      InputData: {
        input: { JobInputType: 'UriFolder', Uri: 'azureml://datastores/workspaceblobstore/paths/factory/' },
      },
    },
  });
  expect(made.status).toBe(201);
  const job = JobBody.parse(made.body);
  const answer = await app.send('GET', `${jobs}${path(job)}`);
  expect(answer.status).toBe(200);
  expect(JobBody.parse(answer.body).name).toBe(job.name);
});

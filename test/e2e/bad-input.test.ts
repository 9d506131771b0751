import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overFolder, startApp, WORKSPACE, type App } from '../support/app.ts';
import { model } from '../support/models.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
  await app.deploy('iris', model('matrix').files);
  await app.send('PUT', `${WORKSPACE}/batchEndpoints/bare`, { properties: { authMode: 'aadToken' } });
});
afterAll(() => app.stop());

const jobs = async (): Promise<unknown> => (await app.send('GET', '/endpoints/iris/jobs')).body;

describe('a bad invocation', () => {
  const uri = 'azureml://datastores/workspaceblobstore/paths/x/';
  const input = (data: unknown) => ({ properties: { inputData: data } });
  it.each<[string, number, string, unknown, string | RegExp]>([
    ['an unknown endpoint', 404, '/endpoints/unknown/jobs', overFolder('x/'), /endpoint/i],
    [
      'an endpoint without a default',
      400,
      '/endpoints/bare/jobs',
      overFolder('x/'),
      /^No valid deployments to route to\./,
    ],
    ['malformed JSON', 400, '/endpoints/iris/jobs', '{"properties":', /JSON/],
    ['a list', 400, '/endpoints/iris/jobs', '[]', /object/],
    ['no properties', 400, '/endpoints/iris/jobs', {}, 'properties'],
    ['no input', 400, '/endpoints/iris/jobs', input({}), 'inputData'],
    [
      'a wrong type',
      400,
      '/endpoints/iris/jobs',
      overFolder('x/', { miniBatchSize: 'many' }),
      'properties.miniBatchSize',
    ],
    [
      'a negative threshold',
      400,
      '/endpoints/iris/jobs',
      overFolder('x/', { errorThreshold: -2 }),
      'properties.errorThreshold',
    ],
    [
      'an unknown input kind',
      400,
      '/endpoints/iris/jobs',
      input({ a: { jobInputType: 'Telepathy', uri } }),
      'properties.inputData.a.jobInputType',
    ],
    ['no URI', 400, '/endpoints/iris/jobs', input({ a: { jobInputType: 'UriFolder' } }), 'properties.inputData.a.uri'],
    [
      'a URI elsewhere',
      403,
      '/endpoints/iris/jobs',
      input({ a: { jobInputType: 'UriFolder', uri: 'https://evil.blob.core.windows.net/c/x' } }),
      'properties.inputData.a.uri',
    ],
    [
      'the app own containers',
      403,
      '/endpoints/iris/jobs',
      input({ a: { jobInputType: 'UriFolder', uri: 'http://127.0.0.1:10000/devstoreaccount1/batchpoint-models/x' } }),
      'properties.inputData.a.uri',
    ],
    [
      'an output elsewhere',
      403,
      '/endpoints/iris/jobs',
      overFolder('x/', {
        outputData: { o: { jobOutputType: 'UriFile', uri: 'azureml://datastores/other/paths/x.csv' } },
      }),
      'properties.outputData.o.uri',
    ],
    [
      'an unknown extension',
      400,
      '/endpoints/iris/jobs',
      overFolder('x/', { properties: { 'batchpoint.colour': 'red' } }),
      /batchpoint\.outputFormat/,
    ],
  ])('%s is %i, says where, and makes no job', async (_name, status, path, body, where) => {
    const before = await jobs();
    const answer = await app.send('POST', path, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-ms-response-type')).toBe('error');
    expect(answer.body).toMatchObject({
      error: { code: expect.any(String) as string, message: expect.any(String) as string },
    });
    const text = JSON.stringify(answer.body);
    if (typeof where === 'string') expect(text).toContain(where);
    else expect((answer.body as { error: { message: string } }).error.message).toMatch(where);
    expect(await jobs()).toEqual(before);
  });

  it('an unknown deployment in the header is 404', async () => {
    const answer = await app.send('POST', '/endpoints/iris/jobs', overFolder('x/'), {
      'azureml-model-deployment': 'green',
    });
    expect(answer).toMatchObject({
      status: 404,
      body: { error: { message: expect.stringContaining('green') as string } },
    });
  });

  it('a body of 10 MB is refused', async () => {
    const body = JSON.stringify(overFolder('x/', { description: 'x'.repeat(10 * 1024 * 1024) }));
    expect(await app.send('POST', '/endpoints/iris/jobs', body)).toMatchObject({ status: 413 });
  });

  it('a body without a length is refused, because the host would drop it', async () => {
    const token = await app.token();
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(
        `${app.url}/endpoints/iris/jobs`,
        { method: 'POST', headers: { authorization: `Bearer ${token}` } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sent.once('error', reject);
      sent.write(JSON.stringify(overFolder('x/')));
      sent.end();
    });
    expect(status).toBe(411);
  });

  it('an unknown job is 404', async () => {
    expect(await app.send('GET', '/endpoints/iris/jobs/batchjob-none')).toMatchObject({ status: 404 });
  });
});

describe('a token', () => {
  const status = async (path: string, headers: Record<string, string>): Promise<number> =>
    (await fetch(`${app.url}${path}`, { headers })).status;
  const scoring = '/endpoints/iris/jobs';
  const management = `${WORKSPACE}/batchEndpoints/iris`;

  it('is wanted on every route but health', async () => {
    expect(await status('/health', {})).toBe(200);
    for (const path of [scoring, management, '/endpoints/nothing/here', '/subscriptions/x'])
      expect(await status(path, {})).toBe(401);
  });

  it('is not asked of pages of other origins, which may read nothing', async () => {
    const asked = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    for (const [path, method] of [
      [scoring, 'OPTIONS'],
      [scoring, 'GET'],
      ['/health', 'GET'],
    ] as const) {
      const { headers } = await fetch(`${app.url}${path}`, { method, headers: asked });
      const named = /^(server|x-powered-by|access-control-.*)$/;
      expect(
        [...headers.keys()].filter((name) => named.test(name)),
        path,
      ).toEqual([]);
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    }
  });

  it('of one plane is refused on the other', async () => {
    const ml = { authorization: `Bearer ${await app.token('https://ml.azure.com')}` };
    const arm = { authorization: `Bearer ${await app.token('https://management.azure.com')}` };
    expect(await status(scoring, ml)).toBe(200);
    expect(await status(management, ml)).toBe(401);
    expect(await status(management, arm)).toBe(200);
    expect(await status(scoring, arm)).toBe(401);
  });
});

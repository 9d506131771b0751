import { beforeEach, describe, expect, it } from 'vitest';
import { BASE, NOW, WORKSPACE, deployHeart, errorOf, worldMaker, type World } from './api-world.ts';

const LOCATION = '/subscriptions/sub-1/providers/Microsoft.MachineLearningServices/locations/westeurope';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await deployHeart(world);
});

async function makeJob(): Promise<string> {
  const input = { jobInputType: 'UriFile', uri: 'azureml://datastores/workspaceblobstore/paths/a.csv' };
  const job = await world.call('POST', '/endpoints/heart-ep/jobs', { body: { properties: { inputData: { input } } } });
  return (job.body as { name: string }).name;
}

describe('cancelling a job through the workspace', () => {
  it('is accepted, and polled until the job has ended', async () => {
    const name = await makeJob();
    const answer = await world.call('POST', `${WORKSPACE}/jobs/${name}/cancel?api-version=1`);
    expect([answer.status, answer.body]).toEqual([202, null]);
    const poll = answer.headers.get('location') ?? '';
    expect(poll).toBe(`${BASE}${LOCATION}/mfeOperationResults/jc:ws-guid:${name}?api-version=1`);
    const waiting = await world.call('GET', poll);
    expect([waiting.status, waiting.body, waiting.headers.get('retry-after')]).toEqual([202, {}, '1']);
    await world.jobs.transition(name, ({ name, endpoint, deployment, createdAt }) => ({
      ...{ name, endpoint, deployment, createdAt, cancelRequested: true, totals: null, failures: [], errorsUri: null },
      ...{ state: 'canceled', startedAt: null, endedAt: NOW, reason: { code: 'Canceled', message: 'y' } },
    }));
    const done = await world.call('GET', poll);
    expect([done.status, done.body]).toEqual([200, '']);
  });

  it('is a 404 for a job that is not there', async () => {
    for (const name of ['batchjob-none', 'a%2Fb'])
      expect((await world.call('POST', `${WORKSPACE}/jobs/${name}/cancel`)).status).toBe(404);
  });
});

describe('an operation', () => {
  it.each([
    'mfeOperationsStatus/be:ws-guid:00000000-0000-4000-8000-000000000000',
    'mfeOperationsStatus/be:ws-guid:',
    'mfeOperationsStatus/x',
    'mfeOperationsStatus/jc:ws-guid:batchjob-none',
    'mfeOperationResults/bd:ws-guid:00000000-0000-4000-8000-000000000000',
    'mfeOperationResults/jc:ws-guid:batchjob-none',
    'mfeOperationResults/jc:other:batchjob-none',
  ])('that this app did not make is a 404: %s', async (path) => {
    expect(errorOf(await world.call('GET', `${LOCATION}/${path}`))).toMatchObject({ status: 404, code: 'NotFound' });
  });

  it('is not one of another kind or another time', async () => {
    const { headers } = await world.call('PATCH', `${WORKSPACE}/batchEndpoints/heart-ep`, { body: {} });
    const url = headers.get('azure-asyncoperation') ?? '';
    expect((await world.call('GET', url)).status).toBe(200);
    expect((await world.call('GET', url.replace('/be:', '/bd:'))).status).toBe(404);
    expect((await world.call('GET', url.replace(/:0/, ':1'))).status).toBe(404);
  });

  it('of another subscription is a 404', async () => {
    const path = LOCATION.replace('sub-1', 'sub-2');
    expect((await world.call('GET', `${path}/mfeOperationsStatus/x`)).body).toMatchObject({
      error: { code: 'ResourceNotFound' },
    });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { jobLogChunks } from '../../../shared/steps/job-log-chunks.ts';
import { BASE, NOW, WORKSPACE, deployHeart, errorOf, request, worldMaker, type World } from './api-world.ts';
import { endJob, ENDED, makeJob } from './runs-world.ts';

const HISTORY = `/history/v1.0${WORKSPACE}`;
const DATA = `/data/v1.0${WORKSPACE}/dataversion/batchGetResolvedUris`;
const STORE = 'azureml://datastores/workspaceblobstore/paths';

const freshWorld = worldMaker();
let world: World;
let job: string;
let child: string;

beforeEach(async () => {
  world = await freshWorld();
  await deployHeart(world);
  job = await makeJob(world);
  child = job.replace('batchjob-', '');
});

const complete = (outputUri = `${STORE}/azureml/${job}/score/predictions.csv`) =>
  endJob(world, job, { state: 'completed', outputUri });

describe('a run', () => {
  it('is the job', async () => {
    const { status, body } = await world.call('GET', `${HISTORY}/runs/${job}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      runId: job,
      rootRunId: job,
      parentRunId: null,
      status: 'Preparing',
      displayName: job,
      createdUtc: NOW,
      startTimeUtc: null,
      endTimeUtc: null,
      lastModifiedUtc: NOW,
      hidden: false,
      tags: { 'azureml.batchrun': 'true', 'azureml.deploymentname': 'blue', 'azureml.jobtype': 'azureml.batchjob' },
      services: { Studio: { endpoint: `${BASE}/jobs/${job}?wsid=${WORKSPACE}` } },
      outputs: {},
    });
  });

  it('has one child, the scoring step, from its first moment', async () => {
    const { body } = await world.call('GET', `${HISTORY}/runs/${job}/children?$top=50`);
    expect(body).toMatchObject({
      value: [
        {
          runId: child,
          parentRunId: job,
          rootRunId: job,
          displayName: 'batchscoring',
          status: 'Preparing',
          createdUtc: NOW,
          lastModifiedUtc: NOW,
          properties: { 'azureml.moduleName': 'batchscoring', 'azureml.pipelinerunid': job },
          services: { Studio: { endpoint: `${BASE}/jobs/${job}?wsid=${WORKSPACE}` } },
        },
      ],
      continuationToken: null,
      nextLink: null,
    });
    expect((await world.call('GET', `${HISTORY}/runs/${child}`)).body).toEqual((body as { value: unknown[] }).value[0]);
    expect((await world.call('GET', `${HISTORY}/runs/${child}/children`)).body).toMatchObject({ value: [] });
  });

  it('says when it started and ended', async () => {
    await complete();
    for (const run of [job, child])
      expect((await world.call('GET', `${HISTORY}/runs/${run}/details`)).body).toMatchObject({
        runId: run,
        status: 'Completed',
        startTimeUtc: NOW,
        endTimeUtc: ENDED,
        error: null,
        warnings: [],
      });
  });

  it('that failed says why, with the files at fault', async () => {
    const failure = { file: 'b.csv', code: 'NotANumber', reason: 'age: x', attempts: 1 };
    await endJob(world, job, { state: 'failed', reason: { code: 'Over', message: 'Too many.' } }, null, [failure]);
    expect((await world.call('GET', `${HISTORY}/runs/${job}/details`)).body).toMatchObject({
      status: 'Failed',
      error: {
        error: {
          code: 'Over',
          message: 'Too many.',
          details: [{ code: 'NotANumber', message: 'age: x', target: 'b.csv' }],
        },
        correlation: {},
        environment: 'westeurope',
        location: 'westeurope',
        time: ENDED,
      },
    });
  });

  it.each(['none', 'batchjob-00000000-0000-8000-8000-000000000000', '00000000-0000-8000-8000-000000000000', 'a%2Fb'])(
    'that is not there is a 404: %s',
    async (name) => {
      for (const path of [`/runs/${name}`, `/runs/${name}/details`, `/runs/${name}/children`])
        expect(errorOf(await world.call('GET', `${HISTORY}${path}`))).toMatchObject({ status: 404, code: 'NotFound' });
    },
  );

  it('of another workspace is a 404', async () => {
    const elsewhere = HISTORY.replace('ws-1', 'ws-2');
    expect(errorOf(await world.call('GET', `${elsewhere}/runs/${job}`))).toMatchObject({ code: 'ResourceNotFound' });
  });

  it('is hidden, named and tagged by a change', async () => {
    const path = `${HISTORY}/experiments/heart-ep/runs/${job}`;
    await world.call('PATCH', path, { body: { tags: { a: '1' }, description: 'first' } });
    const changed = await world.call('PATCH', path, {
      body: { hidden: true, displayName: 'Heart', tags: { b: '2' }, properties: { note: 'x' } },
    });
    expect([changed.status, changed.body]).toMatchObject([
      200,
      { hidden: true, displayName: 'Heart', description: 'first', tags: { a: '1', b: '2' }, properties: { note: 'x' } },
    ]);
    expect((await world.call('GET', `${WORKSPACE}/jobs/${job}`)).body).toMatchObject({
      properties: { isArchived: true, displayName: 'Heart', tags: { a: '1', b: '2' }, properties: { note: 'x' } },
    });
  });
});

describe('the outputs of a run', () => {
  const outputsOf = async (runId: string): Promise<Record<string, { assetId: string; type: string }>> => {
    const { body } = await world.call('POST', `${HISTORY}/rundata`, { body: { runId, selectRunMetadata: true } });
    return (body as { runMetadata: { outputs: Record<string, { assetId: string; type: string }> } }).runMetadata
      .outputs;
  };
  const resolve = async (...values: string[]) => (await world.call('POST', DATA, { body: { values } })).body;
  const long = `azureml://subscriptions/sub-1/resourcegroups/rg-1/workspaces/ws-1/datastores/workspaceblobstore/paths`;

  it('are none before it has written any', async () => {
    expect([await outputsOf(job), await outputsOf(child)]).toEqual([{}, {}]);
  });

  it("are the child's predictions, which the data plane finds", async () => {
    await complete();
    const { score } = await outputsOf(child);
    expect([await outputsOf(job), score?.type]).toEqual([{}, 'uri_folder']);
    expect(await resolve(score?.assetId ?? '')).toEqual({
      values: { [score?.assetId ?? '']: { uri: `${long}/azureml/${job}/score/`, type: 'uri_folder' } },
    });
  });

  it("are a file where the caller named one, not the caller's whole folder", async () => {
    const uri = `${STORE}/batch/mine.csv`;
    job = await makeJob(world, { outputData: { any: { jobOutputType: 'UriFile', uri } } });
    child = job.replace('batchjob-', '');
    await complete(uri);
    const { score } = await outputsOf(child);
    expect(await resolve(score?.assetId ?? '')).toMatchObject({
      values: { [score?.assetId ?? '']: { uri: `${long}/batch/mine.csv`, type: 'uri_file' } },
    });
  });

  it('that are not there are a 404', async () => {
    for (const id of ['x', `azureml://locations/l/workspaces/w/data/azureml_${child}_output_data_score/versions/1`])
      expect(errorOf(await world.call('POST', DATA, { body: { values: [id] } }))).toMatchObject({ status: 404 });
  });
});

describe("a job's log", () => {
  const urlOf = async (runId: string, file: string): Promise<string> => {
    const { body } = await world.call('GET', `${HISTORY}/runs/${runId}/details`);
    return (body as { logFiles: Record<string, string> }).logFiles[file] ?? '';
  };
  const get = (url: string, headers: Record<string, string> = {}) => world.api.fetch(request('GET', url, { headers }));
  const print = (...lines: string[]) => jobLogChunks(world.systemBlobs).append(job, lines);

  it('is read by the URL alone, for parent and child, and grows', async () => {
    const urls = [await urlOf(job, 'logs/azureml/executionlogs.txt'), await urlOf(child, 'user_logs/std_log.txt')];
    for (const url of urls) expect(await (await get(url)).text()).toBe('');
    await print('one', 'two');
    for (const url of urls) expect(await (await get(url)).text()).toBe('one\ntwo\n');
    await print('three');
    for (const url of urls) expect(await (await get(url)).text()).toBe('one\ntwo\nthree\n');
  });

  it('is read by ranges', async () => {
    await print('0123456789');
    const url = await urlOf(job, 'logs/azureml/executionlogs.txt');
    const ask = async (range: string) => {
      const answer = await get(url, { range });
      return [answer.status, answer.headers.get('content-range'), await answer.text()];
    };
    expect(await ask('bytes=2-4')).toEqual([206, 'bytes 2-4/11', '234']);
    expect(await ask('bytes=8-')).toEqual([206, 'bytes 8-10/11', '89\n']);
    expect(await ask('bytes=-3')).toEqual([206, 'bytes 8-10/11', '89\n']);
    expect((await ask('bytes=11-'))[0]).toBe(416);
    expect((await ask('lines=1-2')).at(-1)).toBe('0123456789\n');
  });

  it('is not read by a URL that is changed, of another job, or an hour old', async () => {
    const url = await urlOf(job, 'logs/azureml/executionlogs.txt');
    const other = await makeJob(world);
    const status = async (changed: string) => (await get(changed)).status;
    expect(await status(url.replace('sig=', 'sig=A'))).toBe(403);
    expect(await status(url.replace(/sig=.*$/, ''))).toBe(403);
    expect(await status(url.replace(/se=1/, 'se=2'))).toBe(403);
    expect(await status(url.replace(job, other))).toBe(403);
    expect(await status(url.replace('logs/azureml/executionlogs.txt', 'user_logs/std_log.txt'))).toBe(403);
    expect(await status(url.replace('executionlogs', 'other'))).toBe(404);
    world.clock.time += 3_599_000;
    expect(await status(url)).toBe(200);
    world.clock.time += 1000;
    expect(await status(url)).toBe(403);
  });
});

describe('the page of a job', () => {
  it('needs no token and says nothing about the job', async () => {
    const answer = await world.api.fetch(request('GET', `/jobs/${job}?wsid=${WORKSPACE}&tid=tenant-1`));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
    expect(await answer.text()).toContain(`Job ${job}`);
    expect((await world.api.fetch(request('GET', '/jobs/%3Cscript%3E'))).status).toBe(404);
  });
});

describe('the audiences', () => {
  const statusWith = async (audience: string, path: string) => {
    const token = await world.issuer.sign({ audience });
    return (await world.call('GET', path, { headers: { authorization: `Bearer ${token}` } })).status;
  };

  it("of the run history and of mferp are either plane's", async () => {
    const mfe = `/mferp/managementfrontend${WORKSPACE}/batchEndpoints/heart-ep/jobs`;
    expect(await statusWith('https://management.azure.com', `${HISTORY}/runs/${job}`)).toBe(200);
    expect(await statusWith('https://ml.azure.com', `${HISTORY}/runs/${job}`)).toBe(200);
    expect(await statusWith('https://management.azure.com', mfe)).toBe(200);
    expect(await statusWith('https://ml.azure.com', mfe)).toBe(200);
  });
});

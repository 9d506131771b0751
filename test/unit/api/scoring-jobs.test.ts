import { beforeEach, describe, expect, it } from 'vitest';
import { createApi } from '../../../shared/api/app.ts';
import { viewJob } from '../../../shared/steps/job-view.ts';
import {
  BASE,
  NOW,
  SYSTEM_DATA,
  WORKSPACE,
  deployHeart,
  errorOf,
  request,
  worldMaker,
  type World,
} from './api-world.ts';

const JOBS = '/endpoints/heart-ep/jobs';
const INPUT = { UriFolder: { uri: 'azureml://datastores/workspaceblobstore/paths/heart/', jobInputType: 'UriFolder' } };

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  await deployHeart(world);
});

const nameOf = (answer: { body: unknown }): string => (answer.body as { name: string }).name;

const invoke = (body: unknown = { properties: { inputData: INPUT } }, headers: Record<string, string> = {}) =>
  world.call('POST', JOBS, { body, headers });

describe('a job', () => {
  it.each([
    ['its name', (name: string) => `${JOBS}/${name}`],
    ['its name with a slash behind', (name: string) => `${JOBS}/${name}/`],
    ['its name in capitals', (name: string) => `/Endpoints/Heart-EP/JOBS/${name.toUpperCase()}`],
    ['its ARM id', (name: string) => `${JOBS}/${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue/jobs/${name}`],
  ])('is found by %s', async (_how, path) => {
    const made = await invoke();
    const found = await world.call('GET', path(nameOf(made)));
    expect([found.status, found.body]).toEqual([200, made.body]);
    expect(found.headers.get('azureml-model-deployment')).toBe('blue');
  });

  it('does not exist under another endpoint', async () => {
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/other`, { body: {} });
    const name = nameOf(await invoke());
    expect(errorOf(await world.call('GET', `/endpoints/other/jobs/${name}`))).toEqual({
      status: 404,
      code: 'NotFound',
      target: undefined,
      message: `There is no job '${name}' of endpoint 'other'.`,
    });
  });

  it('shows its progress while it runs', async () => {
    const name = nameOf(await invoke());
    await world.jobs.transition(name, ({ name, endpoint, deployment, createdAt, cancelRequested }) => ({
      ...{ name, endpoint, deployment, createdAt, cancelRequested },
      ...{ state: 'scoring', execution: 'x', startedAt: NOW, files: 4, lanes: 1 },
    }));
    await world.jobs.report(name, {
      ...{ lane: 0, position: 2, filesDone: 2, filesFailed: 0, rows: 600, recordsFailed: 1 },
      ...{ updatedAt: NOW, firstRowAt: '2026-02-03T04:05:07.000Z' },
    });
    world.clock.time += 6000;
    const { body } = await world.call('GET', `${JOBS}/${name}`);
    expect(body).toMatchObject({
      properties: {
        status: 'Running',
        properties: {
          'batchpoint.files': '4',
          'batchpoint.filesDone': '2',
          'batchpoint.filesFailed': '0',
          'batchpoint.rows': '600',
          'batchpoint.recordsFailed': '1',
          'batchpoint.rowsPerSecond': '100',
          'batchpoint.secondsLeft': '6',
          'batchpoint.firstRowAt': '2026-02-03T04:05:07.000Z',
        },
      },
    });
  });

  const totals = { files: 2, filesDone: 1, filesFailed: 1, rows: 9, recordsFailed: 1 };
  const failures = [{ file: 'b.csv', row: 3, code: 'NotANumber', reason: 'age: x', attempts: 1 }];

  it('shows where its result lies when it is completed', async () => {
    const name = nameOf(await invoke());
    await world.jobs.transition(name, ({ name, endpoint, deployment, createdAt, cancelRequested }) => ({
      ...{ name, endpoint, deployment, createdAt, cancelRequested, totals, failures },
      ...{ state: 'completed', startedAt: NOW, endedAt: '2026-02-03T04:05:09.000Z' },
      outputUri: 'azureml://datastores/workspaceblobstore/paths/azureml/j/score/predictions.csv',
      errorsUri: 'azureml://datastores/workspaceblobstore/paths/azureml/j/score/predictions.csv.errors.jsonl',
    }));
    const { body } = await world.call('GET', `${JOBS}/${name}`);
    expect(body).not.toHaveProperty('error');
    expect(body).toMatchObject({
      properties: {
        status: 'Completed',
        outputData: {
          score: {
            jobOutputType: 'UriFile',
            mode: 'ReadWriteMount',
            uri: `${WORKSPACE}/datastores/workspaceblobstore/paths/azureml/j/score/predictions.csv`,
          },
        },
        properties: {
          'batchpoint.filesFailed': '1',
          'batchpoint.rowsPerSecond': '3',
          'batchpoint.failures': JSON.stringify(failures),
          'batchpoint.errorsUri':
            'azureml://datastores/workspaceblobstore/paths/azureml/j/score/predictions.csv.errors.jsonl',
        },
      },
      systemData: { ...SYSTEM_DATA, lastModifiedAt: '2026-02-03T04:05:09.000Z' },
    });
  });

  it('says at its top why it failed', async () => {
    const name = nameOf(await invoke());
    await world.jobs.transition(name, ({ name, endpoint, deployment, createdAt, cancelRequested }) => ({
      ...{ name, endpoint, deployment, createdAt, cancelRequested, totals, failures },
      ...{ state: 'failed', startedAt: NOW, endedAt: NOW, errorsUri: null },
      reason: { code: 'ErrorThreshold', message: 'Too many files failed.' },
    }));
    expect((await world.call('GET', `${JOBS}/${name}`)).body).toMatchObject({
      error: {
        code: 'ErrorThreshold',
        message: 'Too many files failed.',
        details: [{ code: 'NotANumber', message: 'age: x', target: 'b.csv' }],
      },
      properties: { status: 'Failed' },
    });
  });
});

describe('the list of jobs', () => {
  it('is empty at first', async () => {
    const { status, body } = await world.call('GET', JOBS);
    expect([status, body]).toEqual([200, { value: [], nextLink: null }]);
  });

  it('goes from page to page, newest first, and only with its own page tokens', async () => {
    const names: string[] = [];
    for (let i = 0; i < 5; i++) {
      world.clock.time += 1000;
      names.unshift(nameOf(await invoke()));
    }
    const pages: string[][] = [];
    let next: string | null = `${JOBS}?limit=2&api-version=1`;
    while (next !== null) {
      const { body } = await world.call('GET', next);
      const page = body as { value: { name: string }[]; nextLink: string | null };
      pages.push(page.value.map(({ name }) => name));
      next = page.nextLink;
      if (next !== null) expect(next).toMatch(`${BASE}${JOBS}?limit=2&api-version=1&%24skiptoken=`);
    }
    expect(pages).toEqual([names.slice(0, 2), names.slice(2, 4), names.slice(4)]);

    const { body } = await world.call('GET', `${JOBS}?limit=2`);
    const link = (body as { nextLink: string }).nextLink;
    const elsewhere = await world.call('GET', `${link}&deployment=blue`);
    expect(errorOf(elsewhere)).toMatchObject({ status: 400, target: '$skiptoken' });
    for (const token of ['', 'AAAA', 'x'.repeat(60)])
      expect(errorOf(await world.call('GET', `${JOBS}?$skiptoken=${token}`))).toMatchObject({ status: 400 });
  });

  it('can be of one deployment, also of one that is gone', async () => {
    await invoke();
    expect((await world.call('GET', `${JOBS}?deployment=Blue`)).body).toMatchObject({ value: [{}] });
    expect((await world.call('GET', `${JOBS}?deployment=red`)).body).toMatchObject({ value: [] });
  });
});

describe('cancel', () => {
  it('asks the job to stop, also when asked again', async () => {
    const name = nameOf(await invoke());
    for (let i = 0; i < 2; i++) {
      const answer = await world.call('POST', `${JOBS}/${name}/cancel`);
      expect([answer.status, answer.body]).toMatchObject([200, { name, properties: { status: 'CancelRequested' } }]);
    }
    expect(await world.jobs.stopped(name)).toMatchObject({ code: 'Canceled' });
  });

  it('is a 409 for a job that has failed, and a 404 for none', async () => {
    const name = nameOf(await invoke());
    await world.jobs.transition(name, ({ name, endpoint, deployment, createdAt, cancelRequested }) => ({
      ...{ name, endpoint, deployment, createdAt, cancelRequested, totals: null, failures: [], errorsUri: null },
      ...{ state: 'failed', startedAt: null, endedAt: NOW, reason: { code: 'X', message: 'y' } },
    }));
    expect(errorOf(await world.call('POST', `${JOBS}/${name}/cancel`))).toMatchObject({
      status: 409,
      message: `Job '${name}' has already ended: failed.`,
    });
    expect((await world.call('POST', `${JOBS}/nobody/cancel`)).status).toBe(404);
    expect((await world.call('POST', `${JOBS}/${name}/restart`)).status).toBe(404);
  });
});

describe('salvage', () => {
  const failed = (name: string) =>
    world.jobs.transition(name, ({ name, endpoint, deployment, createdAt, cancelRequested }) => ({
      ...{ name, endpoint, deployment, createdAt, cancelRequested, totals, failures: [], errorsUri: null },
      ...{ state: 'failed', startedAt: NOW, endedAt: NOW, reason: { code: 'X', message: 'y' } },
    }));
  const totals = { files: 2, filesDone: 1, filesFailed: 0, rows: 9, recordsFailed: 0 };

  it('answers the job, failed as it is, with its output and a mark that it is not whole', async () => {
    const name = nameOf(await invoke());
    await failed(name);
    const amended = 'azureml://datastores/workspaceblobstore/paths/azureml/j/score/predictions.csv';
    const api = createApi({
      ...world.deps,
      async salvageJob(job) {
        await world.jobs.amend(job, (record) => ({ ...record, outputUri: amended }));
        const view = await viewJob(world.deps, job);
        if (!view) throw new Error('no job');
        return view;
      },
    });
    const authorization = `Bearer ${await world.issuer.sign({ audience: 'api://batchpoint' })}`;
    const response = await api.fetch(
      request('POST', `${JOBS}/${name}/salvage`, { text: '', headers: { authorization } }),
    );
    expect([response.status, await response.json()]).toMatchObject([
      200,
      {
        name,
        error: { code: 'X', message: 'y' },
        properties: {
          status: 'Failed',
          outputData: {
            score: { uri: `${WORKSPACE}/datastores/workspaceblobstore/paths/azureml/j/score/predictions.csv` },
          },
          properties: { 'batchpoint.complete': 'false', 'batchpoint.rows': '9' },
        },
      },
    ]);
  });

  it('is a 409 with the reason when nothing can be had, and a 404 for no job of this endpoint', async () => {
    const name = nameOf(await invoke());
    await failed(name);
    expect(errorOf(await world.call('POST', `${JOBS}/${name}/salvage`))).toMatchObject({
      status: 409,
      message: `Job '${name}' had finished nothing that could be salvaged.`,
    });
    expect((await world.call('POST', `${JOBS}/nobody/salvage`)).status).toBe(404);
    expect((await world.call('POST', `${JOBS}/${name}/constructor`)).status).toBe(404);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../../shared/storage/memory-tables.ts';
import type { Blobs, Table } from '../../../shared/storage/ports.ts';
import { jobsRegistry } from '../../../shared/storage/registry/jobs.ts';
import { pipelinesRegistry } from '../../../shared/storage/registry/pipelines.ts';
import { resourceRegistry } from '../../../shared/storage/registry/resources.ts';
import { BASE, deployHeart, request, worldMaker, WORKSPACE, type World } from './api-world.ts';
import { ROUTE_ROWS } from './route-rows.ts';

const freshWorld = worldMaker();
let world: World;
let token: string;

beforeAll(async () => {
  world = await freshWorld();
  token = await world.issuer.sign({ audience: 'api://batchpoint' });
});

const rows = Object.entries(ROUTE_ROWS).map(([route, row]) => ({ ...row, route, method: route.split(' ')[0] ?? '' }));
const bodyOf = ({ body }: { readonly body?: unknown }) => (body === undefined ? {} : { body });

const EXPECTED = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
};

/** What an answer must not have: words about what serves it, and leave for pages of others to read it. */
const unwanted = (headers: Headers): string[] =>
  [...headers.keys()].filter((name) => /^(server|x-powered-by|via|access-control-.*)$/.test(name));

/** Addresses of the host's own doors, as Durable's check-status answers have them. */
const DOORS = /runtime\/webhooks|durabletask|\/admin\/|[?&]code=|taskHub/i;

describe('every route', () => {
  it.each(rows)('$route tells browsers to keep out, whoever asks', async (row) => {
    const authorization = `Bearer ${token}`;
    const foreign = { origin: 'https://evil.example' };
    const calls = [
      request(row.method, row.path, { ...bodyOf(row), headers: { authorization } }),
      request(row.method, row.path, { ...bodyOf(row), headers: { authorization, ...foreign } }),
      request(row.method, row.path, bodyOf(row)),
      request('HEAD', row.path, { headers: { authorization } }),
      request('OPTIONS', row.path, { headers: { ...foreign, 'access-control-request-method': row.method } }),
    ];
    for (const call of calls) {
      const { headers, status } = await world.api.fetch(call);
      expect(Object.fromEntries([...headers].filter(([name]) => name in EXPECTED)), call.method).toEqual(EXPECTED);
      expect(unwanted(headers), call.method).toEqual([]);
      if (call.method === 'OPTIONS') expect(status).toBeGreaterThanOrEqual(400);
    }
  });

  it.each(rows)('$route names no door of the host', async (row) => {
    const text = await (
      await world.api.fetch(
        request(row.method, row.path, { ...bodyOf(row), headers: { authorization: `Bearer ${token}` } }),
      )
    ).text();
    expect(text).not.toMatch(DOORS);
  });

  it('that fails inside the app says so by a number that is in the log, and nothing else', async () => {
    const broken = await freshWorld(brokenStorage());
    let failed = 0;
    for (const row of rows) {
      const before = broken.lines.length;
      const answer = await broken.api.fetch(
        request(row.method, row.path, { ...bodyOf(row), headers: { authorization: `Bearer ${token}` } }),
      );
      const text = await answer.text();
      expect(text, row.route).not.toMatch(/boom|\.[jt]s:\d|node:|\\n +at /);
      if (answer.status !== 500) continue;
      failed++;
      const requestId = answer.headers.get('x-request-id');
      expect(text).toContain(`The request failed inside the app (request ${requestId}).`);
      const logged = broken.lines.slice(before).find(({ message }) => message === 'request failed');
      expect(logged?.fields).toMatchObject({ requestId, error: 'boom' });
    }
    // Most routes look at storage before anything else.
    expect(failed).toBeGreaterThan(rows.length / 2);
  });
});

/** Storage of which every call throws what nobody expects. */
function brokenStorage() {
  const table = broken<Table>(memoryTables()('batchpoint'));
  const blobs = broken<Blobs>(memoryBlobs());
  const registry = resourceRegistry({ table, blobs });
  return {
    jobs: jobsRegistry({ table, blobs }),
    pipelines: pipelinesRegistry({ table, blobs }),
    registry,
    systemBlobs: blobs,
  };
}

const broken = <T extends object>(port: T): T =>
  new Proxy(port, {
    get: () => () => {
      throw new TypeError('boom');
    },
  });

describe('an answer', () => {
  it('of a started job names no door of the host', async () => {
    const own = await freshWorld();
    await deployHeart(own);
    const uri = 'azureml://datastores/workspaceblobstore/paths/heart/';
    const inputData = { UriFolder: { uri, jobInputType: 'UriFolder' } };
    const started = await own.call('POST', '/endpoints/heart-ep/jobs', { body: { properties: { inputData } } });
    expect(started.status).toBe(201);
    const { name } = started.body as { name: string };
    expect(name).toMatch(/^batchjob-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const history = `/history/v1.0${WORKSPACE}/runs/${name}`;
    const reads = ['/endpoints/heart-ep/jobs', `/endpoints/heart-ep/jobs/${name}`, `${WORKSPACE}/jobs/${name}`];
    for (const path of [...reads, history, `${history}/details`, `${WORKSPACE}/batchEndpoints/heart-ep`]) {
      const { body, headers, status } = await own.call('GET', path);
      expect(status, path).toBe(200);
      expect(JSON.stringify([body, ...headers]), path).not.toMatch(DOORS);
    }
    expect(JSON.stringify([started.body, ...started.headers])).not.toMatch(DOORS);
  });

  it.each([
    ['/logs/{job}/user_logs/std_log.txt', 403],
    [`/logs/{job}/user_logs/std_log.txt?se=9999999999&sig=${'A'.repeat(43)}`, 403],
    ['/jobs/{job}', 200],
  ])('without a token does not say whether there is such a job: %s', async (path, status) => {
    const own = await freshWorld();
    await deployHeart(own);
    const uri = 'azureml://datastores/workspaceblobstore/paths/heart/';
    const inputData = { UriFolder: { uri, jobInputType: 'UriFolder' } };
    const started = await own.call('POST', '/endpoints/heart-ep/jobs', { body: { properties: { inputData } } });
    const { name } = started.body as { name: string };
    const absent = 'batchjob-00000000-0000-4000-8000-000000000000';
    const answers = await Promise.all(
      [name, absent].map(async (job) => {
        const answer = await own.api.fetch(request('GET', path.replace('{job}', job)));
        const text = (await answer.text()).replaceAll(job, '{job}');
        const id = answer.headers.get('x-request-id') ?? '';
        return { status: answer.status, text: text.replaceAll(id, '{id}') };
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.status).toBe(status);
  });

  it.each([
    ['http://batch.example', null],
    ['https://localhost:7071', null],
    [BASE, 'max-age=31536000'],
  ])('from %s says that there is HTTPS alone: %s', async (baseUrl, expected) => {
    const { api } = await freshWorld({ baseUrl: () => baseUrl });
    const answer = await api.fetch(request('GET', '/discovery'));
    expect(answer.headers.get('strict-transport-security')).toBe(expected);
  });
});

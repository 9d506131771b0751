import { describe, expect, it } from 'vitest';
import { STANDARD_LIMITS } from '../../../shared/limit-settings.ts';
import type { Limits } from '../../../shared/domain/limits.ts';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../../shared/storage/memory-tables.ts';
import { deployHeart, errorOf, NOW, request, WORKSPACE, worldMaker, type Call, type World } from './api-world.ts';

const newWorld = worldMaker();
const JOBS = '/endpoints/heart-ep/jobs';

const allOf = (limits: Partial<Limits>): Limits => ({
  ...{ ...STANDARD_LIMITS, requestsPerSecond: 10_000, badTokensPerSecond: 10_000 },
  ...limits,
});

const limited = async (limits: Partial<Limits>): Promise<World> => {
  const world = await newWorld({ limits: allOf(limits) });
  await deployHeart(world);
  return world;
};

/** Two instances of the app over one storage. */
async function twoInstances(limits: Partial<Limits>): Promise<readonly [World, World]> {
  const storage = { table: memoryTables()('batchpoint'), blobs: memoryBlobs() };
  const one = await newWorld({ limits: allOf(limits), storage });
  await deployHeart(one);
  return [one, await newWorld({ limits: allOf(limits), storage })];
}

const invocation = {
  properties: {
    inputData: {
      heart: { jobInputType: 'UriFolder', uri: 'azureml://datastores/workspaceblobstore/paths/heart/' },
    },
  },
};

const invoke = (world: World, id?: string, endpoint = 'heart-ep') =>
  world.call('POST', `/endpoints/${endpoint}/jobs`, {
    body: invocation,
    ...(id !== undefined && { headers: { 'Idempotency-Key': id } }),
  });

const nameOf = ({ body }: { body: unknown }): string => (body as { name: string }).name;

/** As the last activity of a job does. */
async function end({ jobs }: World, name: string): Promise<void> {
  const spec = await jobs.spec(name);
  if (!spec) throw new Error(`there is no job ${name}`);
  await jobs.transition(name, ({ endpoint, deployment, createdAt }) => ({
    ...{ state: 'canceled', name, endpoint, deployment, createdAt, cancelRequested: true },
    ...{ startedAt: null, endedAt: NOW, totals: null, failures: [], errorsUri: null },
    reason: { code: 'Canceled', message: 'The job was canceled.' },
  }));
  await jobs.leave(name, spec.places ?? []);
}

describe('a request body', () => {
  const padded = (bytes: number): string => {
    const text = JSON.stringify({ properties: { description: '' } });
    return text.replace('""', `"${'x'.repeat(bytes - text.length)}"`);
  };
  const routes: readonly (readonly [string, string])[] = [
    ['PUT', `${WORKSPACE}/batchEndpoints/big`],
    ['POST', JOBS],
    ['PUT', `${WORKSPACE}/jobs/big`],
    // Nobody would read it.
    ['POST', `${WORKSPACE}/jobs/none/cancel`],
    ['GET', JOBS],
  ];

  it.each(routes.filter(([method]) => method !== 'GET'))('of %s %s has a limit', async (method, path) => {
    const world = await limited({ bodyBytes: 2048 });
    const before = world.writes.length;
    expect(errorOf(await world.call(method, path, { text: padded(2049) }))).toEqual({
      status: 413,
      code: 'RequestEntityTooLarge',
      target: undefined,
      message: 'A request body may have at most 2048 bytes.',
    });
    expect(world.writes).toHaveLength(before);
  });

  it('may be as large as the limit', async () => {
    const world = await limited({ bodyBytes: 2048 });
    const { status } = await world.call('PUT', `${WORKSPACE}/batchEndpoints/big`, { text: padded(2048) });
    expect(status).toBe(201);
  });
});

describe('running jobs', () => {
  const full = (what: string) => ({
    status: 429,
    code: 'TooManyRequests',
    target: undefined,
    message: `${what} running jobs, and may have no more at once.`,
  });

  it.each([
    ['of an endpoint', { jobsPerEndpoint: 2 }, "Endpoint 'heart-ep' has 2"],
    ['of a deployment', { jobsPerDeployment: 2 }, "Deployment 'blue' of endpoint 'heart-ep' has 2"],
    ['of a caller', { jobsPerCaller: 2 }, 'The caller has 2'],
  ])('%s are counted until they end', async (_whose, limits, words) => {
    const world = await limited(limits);
    const names = [nameOf(await invoke(world)), nameOf(await invoke(world))];
    const refused = await invoke(world);
    expect(errorOf(refused)).toEqual(full(words));
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(world.started).toEqual(names);
    expect((await world.jobs.list({}, 10)).jobs.map(({ name }) => name).sort()).toEqual([...names].sort());

    await end(world, names[0] ?? '');
    const third = await invoke(world);
    expect(third.status).toBe(201);
    expect(errorOf(await invoke(world))).toEqual(full(words));
  });

  it('of another endpoint and another caller do not count', async () => {
    const world = await limited({ jobsPerEndpoint: 1, jobsPerCaller: 1 });
    expect((await invoke(world)).status).toBe(201);
    const token = await world.issuer.sign({ audience: 'api://batchpoint', objectId: crypto.randomUUID() });
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/other`, { body: {} });
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/other/deployments/blue`, {
      body: { properties: { model: { assetId: 'azureml:heart:1' }, compute: 'azureml:default' } },
    });
    const asOther = (path: string) =>
      world.call('POST', path, {
        body: invocation,
        headers: { authorization: `Bearer ${token}`, 'azureml-model-deployment': 'blue' },
      });
    expect(errorOf(await asOther(JOBS))).toEqual(full("Endpoint 'heart-ep' has 1"));
    expect((await asOther('/endpoints/other/jobs')).status).toBe(201);
    expect(errorOf(await asOther('/endpoints/other/jobs'))).toEqual(full("Endpoint 'other' has 1"));
  });

  it.each([{ jobsPerEndpoint: 5 }, { jobsPerDeployment: 5 }, { jobsPerCaller: 5 }])(
    'that are asked for at once of two instances of the app are never more than the limit: %o',
    async (limits) => {
      const [one, two] = await twoInstances(limits);
      const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => invoke(i % 2 ? one : two)));
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([...Array.from({ length: 5 }, () => 201), ...Array.from({ length: 35 }, () => 429)]);
      expect([...one.started, ...two.started]).toHaveLength(5);
      // A place that one instance gives back is the other's to take.
      await end(one, [...one.started, ...two.started][0] ?? '');
      expect([(await invoke(two)).status, (await invoke(one)).status]).toEqual([201, 429]);
    },
  );

  it('of one deployment leave those of another of the same endpoint alone', async () => {
    const world = await limited({ jobsPerDeployment: 1 });
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/green`, {
      body: { properties: { model: { assetId: 'azureml:heart:1' }, compute: 'azureml:default' } },
    });
    const asGreen = () =>
      world.call('POST', JOBS, { body: invocation, headers: { 'azureml-model-deployment': 'green' } });
    expect((await invoke(world)).status).toBe(201);
    expect((await asGreen()).status).toBe(201);
    expect(errorOf(await asGreen())).toEqual(full("Deployment 'green' of endpoint 'heart-ep' has 1"));
  });

  it('that a client asks for again count once, and are answered at the limit, too', async () => {
    const world = await limited({ jobsPerEndpoint: 2 });
    const first = await invoke(world, 'one');
    await invoke(world, 'two');
    const again = await invoke(world, 'one');
    expect([again.status, nameOf(again)]).toEqual([201, nameOf(first)]);
    expect((await invoke(world, 'three')).status).toBe(429);
    await end(world, nameOf(first));
    expect(nameOf(await invoke(world, 'one'))).toBe(nameOf(first));
    expect((await invoke(world, 'three')).status).toBe(201);
    expect((await invoke(world, 'four')).status).toBe(429);
  });

  it('leave no place behind when the request is refused', async () => {
    const world = await limited({ jobsPerEndpoint: 1, jobsPerCaller: 1 });
    const bad = { properties: { inputData: { x: { jobInputType: 'UriFolder', uri: 'https://evil.test/c/x' } } } };
    expect((await world.call('POST', JOBS, { body: bad })).status).toBe(403);
    expect((await invoke(world)).status).toBe(201);
  });

  it('whose process died before they were stored lose their place after a minute', async () => {
    const world = await limited({ jobsPerEndpoint: 1 });
    const groups = [{ group: 'endpoint heart-ep', limit: 1 }];
    expect(await world.jobs.enter('never-stored', groups, world.clock.now())).toMatchObject({ isNew: true });
    expect((await invoke(world)).status).toBe(429);
    world.clock.time += 61_000;
    expect((await invoke(world)).status).toBe(201);
    expect((await invoke(world)).status).toBe(429);
  });

  it('that were submitted as pipelines count for their caller', async () => {
    const world = await limited({ jobsPerCaller: 1 });
    const put = (name: string) =>
      world.call('PUT', `${WORKSPACE}/jobs/${name}`, {
        body: {
          properties: { jobType: 'Command', command: 'true', environmentId: `${WORKSPACE}/environments/e/versions/1` },
        },
      });
    await world.call('PUT', `${WORKSPACE}/environments/e/versions/1`, { body: { properties: { image: 'python' } } });
    expect((await put('one')).status).toBe(201);
    expect(errorOf(await put('two'))).toEqual(full('The caller has 1'));
    expect(errorOf(await invoke(world))).toEqual(full('The caller has 1'));
  });
});

it('a job has a limit of inputs', async () => {
  const world = await limited({ inputs: 2 });
  const literal = { jobInputType: 'literal', value: '1' };
  const body = (count: number): Call => ({
    body: {
      properties: {
        jobType: 'Command',
        command: 'true',
        environmentId: `${WORKSPACE}/environments/e/versions/1`,
        inputs: Object.fromEntries(Array.from({ length: count }, (_, i) => [`i${i}`, literal])),
      },
    },
  });
  await world.call('PUT', `${WORKSPACE}/environments/e/versions/1`, { body: { properties: { image: 'python' } } });
  expect(errorOf(await world.call('PUT', `${WORKSPACE}/jobs/three`, body(3)))).toEqual({
    status: 400,
    code: 'UserError',
    target: 'properties.inputs',
    message: 'A job may have at most 2 inputs.',
  });
  expect((await world.call('PUT', `${WORKSPACE}/jobs/two`, body(2))).status).toBe(201);
});

describe('requests', () => {
  it('of a caller are limited in each second, with bursts, and change nothing above it', async () => {
    const world = await limited({ requestsPerSecond: 2 });
    // Deploying took five of the ten at once, with one to see that there is a default.
    const used = 4;
    const statuses: number[] = [];
    for (let i = 0; i < 11 - used; i++) statuses.push((await world.call('GET', JOBS)).status);
    expect(statuses).toEqual([...Array.from({ length: 10 - used }, () => 200), 429]);

    const before = world.writes.length;
    const refused = await invoke(world);
    expect(errorOf(refused)).toEqual({
      status: 429,
      code: 'TooManyRequests',
      target: undefined,
      message: 'The caller sends more than 2 requests a second.',
    });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(world.writes).toHaveLength(before);

    const token = await world.issuer.sign({ audience: 'api://batchpoint', objectId: crypto.randomUUID() });
    const asOther = { headers: { authorization: `Bearer ${token}` } };
    expect((await world.call('GET', JOBS, asOther)).status).toBe(200);
    world.clock.time += 1000;
    expect((await world.call('GET', JOBS)).status).toBe(200);
    expect((await world.call('GET', JOBS)).status).toBe(200);
    expect((await world.call('GET', JOBS)).status).toBe(429);
  });

  it('with a bad token are limited by the address that they come from, and take nothing from callers', async () => {
    const world = await limited({ badTokensPerSecond: 1 });
    const stranger = async (address: string | undefined, authorization = 'Bearer nonsense') => {
      const headers = { authorization, ...(address !== undefined && { 'x-forwarded-for': address }) };
      const { status, headers: answered } = await world.api.fetch(request('GET', JOBS, { headers }));
      return [status, answered.get('retry-after')];
    };
    for (let i = 0; i < 5; i++) expect(await stranger(`1.1.1.1, 9.9.9.9:${50_000 + i}`)).toEqual([401, null]);
    expect(await stranger('2.2.2.2, 9.9.9.9:1')).toEqual([429, '1']);
    expect(await stranger('9.9.9.9, 2.2.2.2:1')).toEqual([401, null]);
    expect(await stranger(undefined)).toEqual([401, null]);
    expect((await world.call('GET', JOBS, { headers: { 'x-forwarded-for': '9.9.9.9:1' } })).status).toBe(200);
    world.clock.time += 1000;
    expect(await stranger('9.9.9.9')).toEqual([401, null]);
  });
});

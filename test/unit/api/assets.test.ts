import { beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_DATA, WORKSPACE, deployHeart, errorOf, worldMaker, type World } from './api-world.ts';
import { endJob, makeJob } from './runs-world.ts';

const PATHS = 'azureml://datastores/workspaceblobstore/paths';
const TYPE = 'Microsoft.MachineLearningServices/workspaces';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
  // Code is copied when it is registered.
  for (const folder of ['1/src', '2/src', 'aa', 'bb'])
    await world.dataBlobs.write({ container: 'data', name: `LocalUpload/${folder}/score.py` }, Buffer.from(folder));
});

const put = (path: string, properties: object, headers = {}) =>
  world.call('PUT', `${WORKSPACE}/${path}`, { body: { properties }, headers });
const get = (path: string) => world.call('GET', `${WORKSPACE}/${path}`);
const namesOf = (body: unknown) => (body as { value: { name: string }[] }).value.map(({ name }) => name);
const list = async (path: string) => namesOf((await get(path)).body);

/** One version of each kind: what a client sends, what it gets back, and a change that makes it another. */
const KINDS: [kind: string, sent: object, shown: object, other: object][] = [
  [
    'data',
    { dataType: 'uri_folder', dataUri: `${PATHS}/d/` },
    { dataType: 'uri_folder', dataUri: `${PATHS}/d/` },
    { dataUri: `${PATHS}/e/` },
  ],
  [
    'environments',
    { image: 'mcr.example/base:1', condaFile: 'name: x\n', osType: 'linux', isAnonymous: false },
    { image: 'mcr.example/base:1', condaFile: 'name: x\n', build: null, osType: 'Linux', inferenceConfig: null },
    { image: 'mcr.example/base:2' },
  ],
  [
    'codes',
    { codeUri: 'https://acct.blob.core.windows.net/data/LocalUpload/1/src' },
    { codeUri: 'https://acct.blob.core.windows.net/data/LocalUpload/1/src' },
    { codeUri: 'https://acct.blob.core.windows.net/data/LocalUpload/2/src' },
  ],
  [
    'components',
    { componentSpec: { type: 'command', command: 'echo', inputs: { n: { type: 'integer', default: '3' } } } },
    { componentSpec: { type: 'command', command: 'echo', inputs: { n: { type: 'integer', default: '3' } } } },
    { componentSpec: { type: 'command', command: 'echo 2' } },
  ],
];

describe.each(KINDS)('%s', (kind, sent, shown, other) => {
  const described = { description: 'd', tags: { Team: 'Ü', n: '1' }, properties: { 'a.b': 'c' } };
  const version = (name: string, more: object = {}) => ({
    id: `${WORKSPACE}/${kind}/heart/versions/${name}`,
    name,
    type: `${TYPE}/${kind}/versions`,
    properties: {
      ...described,
      isArchived: false,
      isAnonymous: false,
      ...shown,
      provisioningState: 'Succeeded',
      ...more,
    },
    systemData: SYSTEM_DATA,
  });

  it('come back whole, the same again is 200, and other content is a 409 that names it', async () => {
    const made = await put(`${kind}/heart/versions/1`, { ...sent, ...described });
    expect([made.status, made.body]).toEqual([201, version('1')]);
    expect((await get(`${kind}/HEART/versions/1`)).body).toEqual(version('1'));
    const again = await put(`${kind}/heart/versions/1`, { ...sent, ...described, tags: { Team: 'new' } });
    expect([again.status, again.body]).toEqual([200, version('1', { tags: { Team: 'new' } })]);
    const refused = await put(`${kind}/heart/versions/1`, { ...sent, ...other });
    expect(errorOf(refused)).toMatchObject({ status: 409, code: 'Conflict' });
    expect(JSON.stringify(refused.body)).toContain(`'heart' version '1' exists with another ${Object.keys(other)[0]};`);
    expect((await get(`${kind}/heart/versions/1`)).body).toEqual(version('1', { tags: { Team: 'new' } }));
  });

  it('have a container that knows the latest and the next version', async () => {
    await put(`${kind}/heart/versions/3`, sent);
    world.clock.time += 1000;
    await put(`${kind}/heart/versions/beta`, sent);
    const found = await get(`${kind}/heart`);
    expect(found.body).toEqual({
      id: `${WORKSPACE}/${kind}/heart`,
      name: 'heart',
      type: `${TYPE}/${kind}`,
      properties: {
        description: null,
        tags: {},
        properties: {},
        isArchived: false,
        latestVersion: 'beta',
        nextVersion: '4',
        ...(kind === 'data' && { dataType: 'uri_folder' }),
        provisioningState: 'Succeeded',
      },
      systemData: SYSTEM_DATA,
    });
    expect((await get(kind)).body).toEqual({ value: [found.body], nextLink: null });
  });

  it('are archived and restored, one version or all', async () => {
    for (const name of ['1', '2']) {
      await put(`${kind}/heart/versions/${name}`, sent);
      world.clock.time += 1000;
    }
    // The SDK reads, changes isArchived, and writes all of it back.
    const read = (await get(`${kind}/heart/versions/2`)).body as { properties: object };
    await put(`${kind}/heart/versions/2`, { ...read.properties, isArchived: true });
    expect(await list(`${kind}/heart/versions`)).toEqual(['1']);
    expect(await list(`${kind}/heart/versions?listViewType=ArchivedOnly`)).toEqual(['2']);
    expect(await list(`${kind}/heart/versions?listViewType=all`)).toEqual(['2', '1']);
    expect((await get(`${kind}/heart`)).body).toMatchObject({ properties: { latestVersion: '1', nextVersion: '3' } });
    await put(`${kind}/heart/versions/2`, { ...read.properties, isArchived: false });
    expect(await list(`${kind}/heart/versions`)).toEqual(['2', '1']);

    const container = (await get(`${kind}/heart`)).body as { properties: object };
    const archived = await put(`${kind}/heart`, { ...container.properties, isArchived: true, tags: { a: '1' } });
    expect([archived.status, archived.body]).toMatchObject([
      200,
      { properties: { isArchived: true, tags: { a: '1' } } },
    ]);
    expect(await list(kind)).toEqual([]);
    expect(await list(`${kind}?listViewType=ArchivedOnly`)).toEqual(['heart']);
    expect((await get(`${kind}/heart/versions/1`)).status).toBe(200);
  });

  it('are removed, one version or all', async () => {
    for (const name of ['1', '2', '3']) await put(`${kind}/heart/versions/${name}`, sent);
    const remove = async (path: string) => (await world.call('DELETE', `${WORKSPACE}/${path}`)).status;
    expect([await remove(`${kind}/heart/versions/3`), await remove(`${kind}/heart/versions/3`)]).toEqual([200, 204]);
    const latest = await get(`${kind}/heart/versions/azureml_default`);
    expect(latest.body).toMatchObject({ id: `${WORKSPACE}/${kind}/heart/versions/2` });
    expect((await get(`${kind}/heart`)).body).toMatchObject({ properties: { latestVersion: '2', nextVersion: '3' } });
    expect([await remove(`${kind}/heart`), await remove(`${kind}/heart`)]).toEqual([200, 204]);
    expect((await get(`${kind}/heart/versions/1`)).status).toBe(404);
    expect(await list(`${kind}/heart/versions`)).toEqual([]);
    expect((await put(`${kind}/heart/versions/1`, { ...sent, ...other })).status).toBe(201);
  });

  it('that their clients did not name are not listed', async () => {
    await put(`${kind}/azureml_anonymous/versions/${'0f'.repeat(16)}`, { ...sent, isAnonymous: true });
    expect(await list(kind)).toEqual([]);
    expect(await list(`${kind}/azureml_anonymous/versions`)).toEqual(['0f'.repeat(16)]);
  });

  it.each(['x'.repeat(1000), 'a%2Fb', '..%2Fa', 'é', 'a.', ' ', '%00'])('have no name like %.8s', async (name) => {
    const before = world.writes.length;
    const place = name === ' ' ? '%20' : name;
    for (const path of [`${kind}/${place}/versions/1`, `${kind}/heart/versions/${place}`, `${kind}/${place}`])
      expect(errorOf(await put(path, sent)), path).toMatchObject({ status: 400 });
    expect((await get(`${kind}/${place}/versions/1`)).status).toBe(404);
    expect(await list(`${kind}/${place}/versions`)).toEqual([]);
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('change only in the state that If-Match names', async () => {
    const made = await put(`${kind}/heart/versions/1`, sent);
    const etag = made.headers.get('etag') ?? '';
    expect((await get(`${kind}/heart/versions/1`)).headers.get('etag')).toBe(etag);
    const changed = await put(`${kind}/heart/versions/1`, { ...sent, description: 'x' }, { 'if-match': etag });
    expect(changed.status).toBe(200);
    const late = await put(`${kind}/heart/versions/1`, { ...sent, description: 'y' }, { 'if-match': etag });
    expect(errorOf(late)).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    const gone = await put(`${kind}/heart/versions/2`, sent, { 'if-match': '*' });
    expect(gone.status).toBe(412);
  });
});

describe('lists', () => {
  const code = (hash: string) => ({
    codeUri: `${PATHS}/LocalUpload/${hash}`,
    isAnonymous: true,
    properties: { hash_sha256: hash, hash_version: 202208 },
  });

  it('find code by its hash', async () => {
    await put('codes/c/versions/1', code('aa'));
    await put('codes/c/versions/2', code('bb'));
    expect(await list('codes/c/versions?hash=bb&hashVersion=202208')).toEqual(['2']);
    expect(await list('codes/c/versions?hash=bb&hashVersion=1')).toEqual([]);
    expect(await list('codes/of-any-name/versions?hash=bb&hashVersion=202208')).toEqual(['2']);
    await world.call('DELETE', `${WORKSPACE}/codes/c/versions/2`);
    expect(await list('codes/c/versions?hash=bb')).toEqual([]);
  });

  it('are by time, and by tags', async () => {
    for (const [name, tags] of Object.entries({ b: { t: '1' }, a: { t: '2' }, c: {} })) {
      await put(`data/d/versions/${name}`, { dataType: 'uri_file', dataUri: `${PATHS}/x`, tags });
      world.clock.time += 1000;
    }
    expect(await list('data/d/versions')).toEqual(['c', 'a', 'b']);
    expect(await list('data/d/versions?$orderBy=createdtime%20asc')).toEqual(['b', 'a', 'c']);
    expect(await list('data/d/versions?$orderBy=createdtime+desc&$top=1')).toEqual(['c']);
    expect(await list('data/d/versions?tags=t')).toEqual(['a', 'b']);
    expect(await list('data/d/versions?tags=t%3D1')).toEqual(['b']);
    for (const query of ['$orderBy=size', 'listViewType=Some', '$top=0'])
      expect((await get(`data/d/versions?${query}`)).status, query).toBe(400);
  });

  it('go on where the page before ended, past what they hide', async () => {
    for (let i = 1; i <= 130; i++) {
      await put(`data/d/versions/${i}`, { dataType: 'uri_file', dataUri: `${PATHS}/x`, isArchived: i % 65 !== 0 });
      world.clock.time += 1000;
    }
    const pages: string[][] = [];
    let next: string | null = `${WORKSPACE}/data/d/versions?$top=1`;
    while (next !== null) {
      const { body } = await world.call('GET', next);
      pages.push(namesOf(body));
      next = (body as { nextLink: string | null }).nextLink;
    }
    expect(pages.flat()).toEqual(['130', '65']);
    expect((await get('data/d')).body).toMatchObject({ properties: { latestVersion: '130' } });
    const other = await get('data/e/versions?$skiptoken=abc');
    expect(errorOf(other)).toMatchObject({ status: 400, target: '$skiptoken' });
  });
});

it('is whole after a registration that broke off at any write', async () => {
  const { registry } = world.deps;
  for (const broken of ['containers', 'versionIndex', 'data'] as const) {
    const breaking = async () => {
      throw new Error('the line broke');
    };
    const parts = {
      containers: { ...registry.containers, create: breaking },
      versionIndex: { ...registry.versionIndex, add: breaking },
      data: { ...registry.data, create: breaking },
    };
    const { call } = await freshWorld({
      ...world.deps,
      registry: { ...registry, [broken]: parts[broken] },
    });
    const body = { properties: { dataType: 'uri_file', dataUri: `${PATHS}/x` } };
    expect((await call('PUT', `${WORKSPACE}/data/${broken}/versions/1`, { body })).status).toBe(500);
    expect(await list(`data/${broken}/versions`)).toEqual([]);
    world.clock.time += 1000;
    expect((await put(`data/${broken}/versions/1`, body.properties)).status).toBe(201);
    expect(await list(`data/${broken}/versions`)).toEqual(['1']);
    expect((await get(`data/${broken}`)).body).toMatchObject({ properties: { latestVersion: '1', nextVersion: '2' } });
  }
});

it('refuses tables and places outside the datastores', async () => {
  const refusals = [
    [{ dataType: 'mltable', dataUri: `${PATHS}/t` }, 400, 'properties.dataType'],
    [{ dataType: 'uri_file', dataUri: 'https://other.blob.core.windows.net/c/x' }, 403, 'properties.dataUri'],
    [{ dataType: 'uri_file', dataUri: 'https://acct.blob.core.windows.net/data/x?sig=s' }, 400, 'properties.dataUri'],
  ] as const;
  for (const [properties, status, target] of refusals)
    expect(errorOf(await put('data/d/versions/1', properties))).toMatchObject({ status, target });
  expect(await list('data?listViewType=All')).toEqual([]);
});

it("keeps where an earlier job's output lies, which stays that output's place", async () => {
  await deployHeart(world);
  const job = await makeJob(world);
  const dataUri = `azureml://jobs/${job}/outputs/score/paths/`;
  const register = () => put('data/d/versions/1', { dataType: 'uri_folder', dataUri });
  expect(errorOf(await register())).toMatchObject({ status: 400, target: 'properties.dataUri' });
  await endJob(world, job, { state: 'completed', outputUri: `${PATHS}/azureml/j/score/predictions.csv` });
  const place = { properties: { dataUri: `${PATHS}/azureml/j/score/` } };
  for (const status of [201, 200]) expect(await register()).toMatchObject({ status, body: place });
});

it('keeps a model that a deployment uses, and removes its files when none does', async () => {
  await deployHeart(world);
  const MODEL = `${WORKSPACE}/models/heart`;
  for (const path of [MODEL, `${MODEL}/versions/1`])
    expect(errorOf(await world.call('DELETE', path))).toMatchObject({
      status: 409,
      message: "Model 'heart' version '1' is used by deployment 'blue' of endpoint 'heart-ep'; remove that first.",
    });
  await world.call('DELETE', `${WORKSPACE}/batchEndpoints/heart-ep`);
  expect((await world.call('DELETE', MODEL)).status).toBe(200);
  const left: string[] = [];
  for await (const { name } of world.systemBlobs.list('batchpoint-models')) left.push(name);
  expect(left).toEqual([]);
});

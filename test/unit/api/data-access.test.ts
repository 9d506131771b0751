import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { DataGrants } from '../../../shared/auth/data-grants.ts';
import { APP_ROLES, Assignments, type Role } from '../../../shared/auth/roles.ts';
import { devIssuer } from '../../../shared/auth/dev-tokens.ts';
import { tokenVerifier } from '../../../shared/auth/token-verifier.ts';
import { deployHeart, errorOf, worldMaker, WORKSPACE, type Answer, type Changes, type World } from './api-world.ts';
import { configuration, FLOW, furnish, registerComponent } from './pipelines-world.ts';
import { endJob } from './runs-world.ts';

const STORE = 'azureml://datastores/workspaceblobstore/paths';
const JOBS = '/endpoints/heart-ep/jobs';
const BLUE = `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`;
const MODEL = { model: { assetId: 'azureml:heart:1' } };

const freshWorld = worldMaker();
let world: World;

/** Nobody is granted anything. */
const strictWorld = (changes: Changes = {}) => freshWorld({ grants: [], ...changes });

beforeEach(async () => {
  world = await strictWorld();
  await deployHeart(world);
  await declare({ 'batchpoint.inputs': `${STORE}/in/, ${STORE}/one.csv`, 'Batchpoint.Outputs': `${STORE}/out/` });
});

type Sends = (method: string, path: string, body?: object) => Promise<Answer>;

/** Somebody with these roles everywhere. */
async function caller(...roles: Role[]): Promise<Sends> {
  const names = roles.map((role) => APP_ROLES[role]);
  const token = await world.issuer.sign({ audience: 'api://batchpoint', objectId: randomUUID(), roles: names });
  return (method, path, body) =>
    world.call(method, path, { ...(body && { body }), headers: { authorization: `Bearer ${token}` } });
}

async function declare(properties: object, send: Sends = (method, path, body) => world.call(method, path, { body })) {
  return send('PUT', BLUE, { properties: { ...MODEL, properties } });
}

const over = (uri: string, jobInputType = 'UriFolder', outputData?: object) => ({
  properties: { inputData: { any: { uri, jobInputType } }, ...(outputData && { outputData }) },
});
const into = (uri: string, jobOutputType = 'UriFile') =>
  over(`${STORE}/in/`, 'UriFolder', { o: { uri, jobOutputType } });
const nameOf = ({ status, body }: Answer): string => {
  expect(status, JSON.stringify(body)).toBe(201);
  return (body as { name: string }).name;
};

/** The one text of the 403. */
const refusal = (uri: string, access: 'read' | 'write', target: string) => ({
  status: 403,
  code: 'UriNotAllowed',
  target,
  message: `'${uri}' does not lie in a datastore of this workspace, or not where this job may ${access}: below a folder that its deployment declares ('batchpoint.${access === 'read' ? 'inputs' : 'outputs'}') or that the app setting BATCHPOINT_GRANTS opens to it.`,
});
const IN = 'properties.inputData.any.uri';
const OUT = 'properties.outputData.o.uri';

describe('an invoker', () => {
  it.each([
    ['the declared folder', over(`${STORE}/in`)],
    ['a folder below it', over(`${STORE}/in/deep/er/`)],
    ['a file in it', over(`${STORE}/in/a.csv`, 'UriFile')],
    ['the declared file', over(`${STORE}/one.csv`, 'UriFile')],
    ['its URL in the account', over('https://acct.blob.core.windows.net/data/in/')],
    ['its URL for Spark', over('abfss://data@acct.dfs.core.windows.net/in/')],
    ['an output in the declared folder', into(`${STORE}/out/a.csv`)],
    ['the declared folder as output', into(`${STORE}/out`, 'UriFolder')],
  ])('may use what the deployment declares: %s', async (_what, body) => {
    nameOf(await (await caller('invoker'))('POST', JOBS, body));
  });

  it.each([
    ['another folder', `${STORE}/heart/`, 'UriFolder'],
    ['all of the datastore', `${STORE}/`, 'UriFolder'],
    ['a folder whose name begins alike', `${STORE}/in2/`, 'UriFolder'],
    ['the declared output', `${STORE}/out/`, 'UriFolder'],
    ["another's output", `${STORE}/azureml/batchjob-1/score/`, 'UriFolder'],
    ['its URL', 'https://acct.blob.core.windows.net/data/heart/', 'UriFolder'],
    ['another account', 'https://other.blob.core.windows.net/data/in/', 'UriFolder'],
    ['another container', 'wasbs://secrets@acct.blob.core.windows.net/in/', 'UriFolder'],
    ['a datastore that is not there', 'azureml://datastores/cellar/paths/in/', 'UriFolder'],
  ])('is told the same of %s, and nothing is written', async (_what, uri, kind) => {
    const send = await caller('invoker');
    const before = world.writes.length;
    expect(errorOf(await send('POST', JOBS, over(uri, kind)))).toEqual(refusal(uri, 'read', IN));
    expect(world.writes.slice(before)).toEqual([]);
  });

  it.each([
    ['elsewhere', `${STORE}/heart/a.csv`, 'UriFile'],
    ['in the declared input', `${STORE}/in/a.csv`, 'UriFile'],
    ['at the root', `${STORE}/a.csv`, 'UriFile'],
    ['as a file of the declared folder’s name', `${STORE}/out`, 'UriFile'],
    ['in another account', 'https://other.blob.core.windows.net/data/out/', 'UriFolder'],
  ])('may not write %s', async (_where, uri, kind) => {
    const send = await caller('invoker');
    expect(errorOf(await send('POST', JOBS, into(uri, kind)))).toEqual(refusal(uri, 'write', OUT));
  });

  it('reaches no more by a data asset', async () => {
    for (const [name, folder] of [
      ['open', 'in/b'],
      ['closed', 'heart'],
    ] as const)
      await world.call('PUT', `${WORKSPACE}/data/${name}/versions/1`, {
        body: { properties: { dataType: 'uri_folder', dataUri: `${STORE}/${folder}/` } },
      });
    const send = await caller('invoker');
    nameOf(await send('POST', JOBS, over('azureml:open:1')));
    expect(errorOf(await send('POST', JOBS, over('azureml:closed:1')))).toEqual(
      refusal('azureml:closed:1', 'read', IN),
    );
  });

  it('has what the setting grants besides', async () => {
    const grants = DataGrants.parse([
      { role: 'invoker', datastore: 'workspaceblobstore', prefix: 'shared/', access: ['read'] },
    ]);
    world = await strictWorld({ grants });
    await deployHeart(world);
    const send = await caller('invoker');
    nameOf(await send('POST', JOBS, over(`${STORE}/shared/a/`)));
    expect(errorOf(await send('POST', JOBS, over(`${STORE}/in/`)))).toEqual(refusal(`${STORE}/in/`, 'read', IN));
  });

  it('may read the folder that the deployment watches', async () => {
    await declare({ 'batchpoint.watch': JSON.stringify({ prefix: 'incoming' }) });
    nameOf(await (await caller('invoker'))('POST', JOBS, over(`${STORE}/incoming/a/`)));
  });
});

it.each<Role>(['operator', 'owner'])('an %s may use all datastores', async (role) => {
  const send = await caller(role);
  nameOf(await send('POST', JOBS, over(`${STORE}/heart/`)));
  nameOf(await send('POST', JOBS, into(`${STORE}/heart/out.csv`)));
  const elsewhere = 'https://other.blob.core.windows.net/data/x';
  expect(errorOf(await send('POST', JOBS, over(elsewhere)))).toEqual(refusal(elsewhere, 'read', IN));
});

describe("an earlier job's output", () => {
  const output = (job: string, path = '') => over(`azureml://jobs/${job}/outputs/score${path}`);

  async function ended(send: Sends, outputData?: object): Promise<string> {
    const name = nameOf(await send('POST', JOBS, over(`${STORE}/in/`, 'UriFolder', outputData)));
    const place = outputData ? 'out/a.csv' : `azureml/${name}/score/predictions.csv`;
    await endJob(world, name, { state: 'completed', outputUri: `${STORE}/${place}` });
    return name;
  }

  it('is an input for whoever may read the job, and for others the job is not there', async () => {
    const [ann, bob] = [await caller('invoker'), await caller('invoker')];
    const job = await ended(ann);
    nameOf(await ann('POST', JOBS, output(job)));
    nameOf(await (await caller('invoker', 'reader'))('POST', JOBS, output(job, '/paths/predictions.csv')));
    const absent = `batchjob-${randomUUID()}`;
    const said = async (name: string) =>
      JSON.stringify(errorOf(await bob('POST', JOBS, output(name)))).replaceAll(name, 'NAME');
    expect(await said(job)).toBe(await said(absent));
    expect(errorOf(await bob('POST', JOBS, output(job)))).toMatchObject({
      status: 400,
      message: `${IN}: there is no job '${job}'.`,
    });
  });

  it('that lies where others write, too, takes a grant for that folder', async () => {
    const ann = await caller('invoker');
    const job = await ended(ann, { o: { uri: `${STORE}/out/a.csv`, jobOutputType: 'UriFile' } });
    const { uri } = output(job).properties.inputData.any;
    expect(errorOf(await ann('POST', JOBS, output(job)))).toEqual(refusal(uri, 'read', IN));
    await declare({ 'batchpoint.inputs': `${STORE}/in/,${STORE}/out/`, 'batchpoint.outputs': `${STORE}/out/` });
    nameOf(await ann('POST', JOBS, over(uri, 'UriFile')));
  });
});

describe('what a deployment declares', () => {
  it.each([
    ['not a URI', 'in/', 400],
    ['nothing between commas', `${STORE}/in/,`, 400],
    ['a datastore that is not there', 'azureml://datastores/cellar/paths/in/', 403],
    ['a path that leads out', `${STORE}/in/../x`, 400],
  ])('is a place: %s is refused', async (_what, text, status) => {
    const answer = await declare({ 'batchpoint.inputs': text });
    expect(errorOf(answer)).toMatchObject({ status, target: 'properties.properties.batchpoint.inputs' });
  });

  it('is not for invocations to say', async () => {
    const body = {
      properties: { ...over(`${STORE}/in/`).properties, properties: { 'batchpoint.inputs': `${STORE}/` } },
    };
    expect(errorOf(await world.call('POST', JOBS, { body }))).toMatchObject({ status: 400 });
  });

  it('must be open to whoever declares it', async () => {
    const oid = randomUUID();
    const assignments = Assignments.parse({ [oid]: { endpoints: { 'heart-ep': ['owner'] } } });
    const grants = DataGrants.parse([
      { principal: oid, datastore: 'workspaceblobstore', prefix: 'theirs/', access: ['read', 'write'] },
    ]);
    const issuers = [devIssuer(world.issuer.jwks)];
    world = await strictWorld({ grants, verifyToken: tokenVerifier({ issuers, assignments }) });
    await deployHeart(world);
    const token = await world.issuer.sign({ audience: 'api://batchpoint', objectId: oid, roles: [] });
    const headers = { authorization: `Bearer ${token}` };
    const said = async (method: string, properties: object) => {
      const body = { properties: { ...(method === 'PUT' && MODEL), properties } };
      return (await world.call(method, BLUE, { body, headers })).status;
    };
    for (const method of ['PUT', 'PATCH']) {
      expect(await said(method, { 'batchpoint.inputs': `${STORE}/theirs/a/` })).toBe(200);
      expect(await said(method, { 'batchpoint.inputs': `${STORE}/heart/` })).toBe(403);
      expect(await said(method, { 'batchpoint.outputs': `${STORE}/` })).toBe(403);
      expect(await said(method, { 'batchpoint.watch': JSON.stringify({ prefix: 'heart' }) })).toBe(403);
      expect(await said(method, { 'batchpoint.watch': JSON.stringify({ prefix: 'theirs/in' }) })).toBe(200);
    }
  });
});

describe('a pipeline', () => {
  const raw = (folder: string) => ({ raw: { uri: `${STORE}/${folder}/`, jobInputType: 'uri_folder' } });
  const out = (folder: string) => ({ out: { uri: `${STORE}/${folder}/`, jobOutputType: 'uri_folder' } });

  it("'s deployment declares what its callers may give it", async () => {
    await furnish(world);
    await registerComponent(world, 'flow', FLOW);
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/flow`, {
      body: {
        properties: {
          deploymentConfiguration: configuration('azureml:flow:1'),
          properties: { 'batchpoint.inputs': `${STORE}/in/`, 'batchpoint.outputs': `${STORE}/out/` },
        },
      },
    });
    await world.call('PATCH', `${WORKSPACE}/batchEndpoints/heart-ep`, {
      body: { properties: { defaults: { deploymentName: 'flow' } } },
    });
    const send = await caller('invoker');
    const invoke = (inputData: object, outputData: object = {}) =>
      send('POST', JOBS, { properties: { inputData, outputData } });
    const asInvoker = await world.call('PATCH', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/flow`, {
      body: { properties: { properties: { 'batchpoint.runAs': 'invoker' } } },
    });
    expect(errorOf(asInvoker)).toMatchObject({ status: 400, target: 'properties.properties.batchpoint.runAs' });
    nameOf(await invoke(raw('in')));
    nameOf(await invoke(raw('in/a'), out('out/a')));
    expect(errorOf(await invoke(raw('heart')))).toEqual(
      refusal(`${STORE}/heart/`, 'read', 'properties.inputData.raw.uri'),
    );
    expect(errorOf(await invoke(raw('in'), out('in/a')))).toEqual(
      refusal(`${STORE}/in/a/`, 'write', 'properties.outputData.out.uri'),
    );
  });
});

it('a salvage takes the right to write where the job was to write', async () => {
  const ann = await caller('invoker');
  const job = nameOf(await ann('POST', JOBS, into(`${STORE}/out/a.csv`)));
  const own = nameOf(await ann('POST', JOBS, over(`${STORE}/in/`)));
  for (const name of [job, own])
    await endJob(world, name, { state: 'failed', reason: { code: 'Odd', message: 'It was odd.' } });
  expect((await ann('POST', `${JOBS}/${job}/salvage`)).status).toBe(409);
  await declare({});
  expect(errorOf(await ann('POST', `${JOBS}/${job}/salvage`))).toEqual(refusal(`${STORE}/out/a.csv`, 'write', OUT));
  expect((await ann('POST', `${JOBS}/${own}/salvage`)).status).toBe(409);
  expect((await (await caller('operator'))('POST', `${JOBS}/${job}/salvage`)).status).toBe(409);
});

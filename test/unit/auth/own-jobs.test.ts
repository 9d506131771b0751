import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../../shared/api/app.ts';
import { devIssuer } from '../../../shared/auth/dev-tokens.ts';
import { APP_ROLES, Assignments, type Role } from '../../../shared/auth/roles.ts';
import { tokenVerifier } from '../../../shared/auth/token-verifier.ts';
import { childRunOf } from '../../../shared/domain/child-run.ts';
import { deployHeart, request, worldMaker, WORKSPACE, type Call, type World } from '../api/api-world.ts';

const JOBS = '/endpoints/heart-ep/jobs';
const MFE = `/mferp/managementfrontend${WORKSPACE}/batchEndpoints/heart-ep`;
const HISTORY = `/history/v1.0${WORKSPACE}`;
const LOCATION = '/subscriptions/sub-1/providers/Microsoft.MachineLearningServices/locations/westeurope';
const INPUT = { UriFolder: { uri: 'azureml://datastores/workspaceblobstore/paths/heart/', jobInputType: 'UriFolder' } };
const INVOCATION = { properties: { inputData: INPUT } };

const freshWorld = worldMaker();
let world: World;

beforeAll(async () => {
  world = await freshWorld();
  await deployHeart(world);
});

/** Somebody with roles, or with none but what the settings give to the object id. */
async function caller(roles: readonly Role[], oid: string = randomUUID(), api = world.api) {
  const names = roles.map((role) => APP_ROLES[role]);
  const token = await world.issuer.sign({ audience: 'api://batchpoint', objectId: oid, roles: names });
  return async (method: string, path: string, body?: unknown) => {
    const call: Call = { headers: { authorization: `Bearer ${token}` }, ...(body === undefined ? {} : { body }) };
    const response = await api.fetch(request(method, path, call));
    return { status: response.status, text: await response.text() };
  };
}
type Caller = Awaited<ReturnType<typeof caller>>;

const nameOf = (text: string): string => (JSON.parse(text) as { name: string }).name;
const invoked = async (who: Caller): Promise<string> => nameOf((await who('POST', JOBS, INVOCATION)).text);
const listed = async (who: Caller, path: string): Promise<string[]> =>
  (JSON.parse((await who('GET', path)).text) as { value: { name: string }[] }).value.map(({ name }) => name);

/** Every route to a job by its name, with what it answers to whom all jobs are open. */
const TO_A_JOB: readonly [method: string, path: (job: string) => string, status: number, body?: unknown][] = [
  ['GET', (job) => `${JOBS}/${job}`, 200],
  ['GET', (job) => `${MFE}/jobs/${job}`, 200],
  ['GET', (job) => `${MFE}/deployments/blue/jobs/${job}`, 200],
  ['GET', (job) => `${WORKSPACE}/jobs/${job}`, 200],
  ['GET', (job) => `${WORKSPACE}/jobs/${childRunOf(job)}`, 200],
  ['GET', (job) => `${HISTORY}/runs/${job}`, 200],
  ['GET', (job) => `${HISTORY}/runs/${childRunOf(job)}`, 200],
  ['GET', (job) => `${HISTORY}/runs/${job}/details`, 200],
  ['GET', (job) => `${HISTORY}/runs/${job}/children`, 200],
  ['GET', (job) => `${HISTORY}/runs/${job}/serviceinstances/0`, 200],
  ['GET', (job) => `${LOCATION}/mfeOperationResults/jc:ws-guid:${job}`, 202],
];

const CHANGES: typeof TO_A_JOB = [
  ['PATCH', (job) => `${HISTORY}/runs/${job}`, 200, { tags: { a: 'b' } }],
  ['PATCH', (job) => `${HISTORY}/experiments/heart-ep/runs/${job}`, 200, { hidden: false }],
  ['DELETE', (job) => `${WORKSPACE}/jobs/${job}`, 405],
  ['POST', (job) => `${JOBS}/${job}/salvage`, 409],
  ['POST', (job) => `${JOBS}/${job}/cancel`, 200],
  ['POST', (job) => `${WORKSPACE}/jobs/${job}/cancel`, 202],
];

const statuses = async (who: Caller, job: string, routes: typeof TO_A_JOB): Promise<number[]> => {
  const found: number[] = [];
  for (const [method, path, , body] of routes) found.push((await who(method, path(job), body)).status);
  return found;
};
const usual = (routes: typeof TO_A_JOB): number[] => routes.map(([, , status]) => status);

describe('an invoker', () => {
  it('sees, changes, salvages and cancels own jobs', async () => {
    const ann = await caller(['invoker']);
    const job = await invoked(ann);
    expect(await statuses(ann, job, TO_A_JOB)).toEqual(usual(TO_A_JOB));
    expect(await statuses(ann, job, CHANGES)).toEqual(usual(CHANGES));
    expect((await ann('POST', `${HISTORY}/rundata`, { runId: job })).status).toBe(200);
  });

  it("is told of another's job what is told of one that does not exist", async () => {
    const [ann, bob] = [await caller(['invoker']), await caller(['invoker'])];
    const job = await invoked(ann);
    const absent = `batchjob-${randomUUID()}`;
    const said = async (name: string) => {
      const answers: unknown[] = [];
      for (const [method, path, , body] of [...TO_A_JOB, ...CHANGES]) {
        const { status, text } = await bob(method, path(name), body);
        answers.push([status, text.replaceAll(name, 'NAME').replaceAll(childRunOf(name), 'CHILD').replace(GUID, '')]);
      }
      return [...answers, (await bob('POST', `${HISTORY}/rundata`, { runId: name })).status];
    };
    const before = world.writes.length;
    const [others, none] = [await said(job), await said(absent)];
    expect(others).toEqual(none);
    expect(JSON.stringify(others)).not.toMatch(/\[(?!404)\d/);
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('has own jobs alone in every list, also behind many of others', async () => {
    const [ann, bob] = [await caller(['invoker']), await caller(['invoker'])];
    const own = await invoked(bob);
    for (let count = 0; count < 3; count++) await invoked(ann);
    for (const path of [JOBS, `${MFE}/jobs`, `${MFE}/deployments/blue/jobs`, `${WORKSPACE}/jobs`])
      expect(await listed(bob, path)).toEqual([own]);
  });

  it('cannot send code, make an upload or ask for secrets', async () => {
    const ann = await caller(['invoker']);
    for (const [method, path] of [
      ['PUT', `${WORKSPACE}/jobs/mine`],
      ['PUT', `${WORKSPACE}/components/c/versions/1`],
      ['PUT', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`],
      ['POST', `${WORKSPACE}/data/d/versions/1/startPendingUpload`],
      ['POST', `${WORKSPACE}/codes/c/versions/1/startPendingUpload`],
      ['POST', `${WORKSPACE}/datastores/workspaceblobstore/listSecrets`],
    ] as const)
      expect((await ann(method, path, {})).status, path).toBe(403);
  });
});

/** The error's request ids. */
const GUID = /"additionalInfo".*/;

describe("another's job", () => {
  it('is shown to a reader, who may not change it', async () => {
    const job = await invoked(await caller(['invoker']));
    const reader = await caller(['reader']);
    expect(await statuses(reader, job, TO_A_JOB)).toEqual(usual(TO_A_JOB));
    expect(await statuses(reader, job, CHANGES)).toEqual(CHANGES.map(() => 403));
    expect(await listed(reader, JOBS)).toContain(job);
  });

  it('that a caller may read and not change is forbidden, not absent', async () => {
    const job = await invoked(await caller(['invoker']));
    const both = await caller(['reader', 'invoker']);
    expect(await statuses(both, job, CHANGES)).toEqual(CHANGES.map(() => 403));
    expect(await statuses(both, await invoked(both), CHANGES)).toEqual(usual(CHANGES));
  });

  it('is open to an operator', async () => {
    const job = await invoked(await caller(['invoker']));
    const operator = await caller(['operator']);
    expect(await statuses(operator, job, [...TO_A_JOB, ...CHANGES])).toEqual(usual([...TO_A_JOB, ...CHANGES]));
  });
});

describe('a role on one endpoint, by the settings', () => {
  const ann = randomUUID();

  /** The same app, where the settings give a role on heart-ep to Ann. */
  const on = async (role: Role): Promise<Caller> => {
    const assignments = Assignments.parse({ [ann.toUpperCase()]: { endpoints: { 'Heart-EP': [role] } } });
    const verifyToken = tokenVerifier({ issuers: [devIssuer(world.issuer.jwks)], assignments });
    return caller([], ann, createApi({ ...world.deps, verifyToken }));
  };

  it('lets an invoker use it and shows no other', async () => {
    await world.call('PUT', `${WORKSPACE}/batchEndpoints/hidden`, { body: {} });
    const invoker = await on('invoker');
    const job = await invoked(invoker);
    expect(await statuses(invoker, job, TO_A_JOB)).toEqual(usual(TO_A_JOB));
    expect(await listed(invoker, `${WORKSPACE}/batchEndpoints`)).toEqual(['heart-ep']);
    expect(await listed(invoker, `${WORKSPACE}/models`)).toEqual(['heart']);
    const refused = async (endpoint: string) => [
      await invoker('GET', `${WORKSPACE}/batchEndpoints/${endpoint}`),
      await invoker('POST', `/endpoints/${endpoint}/jobs`, INVOCATION),
      await invoker('GET', `/endpoints/${endpoint}/jobs`),
    ];
    const [there, absent] = [await refused('hidden'), await refused('absent')];
    expect(there.map(({ status }) => status)).toEqual([403, 403, 403]);
    const words = (answers: typeof there) => answers.map(({ text }) => text.replace(GUID, ''));
    expect(words(there)).toEqual(words(absent));
  });

  it('lets an operator see its jobs, and an owner change it but not the workspace', async () => {
    const job = await invoked(await caller(['invoker']));
    expect(await statuses(await on('operator'), job, TO_A_JOB)).toEqual(usual(TO_A_JOB));
    const owner = await on('owner');
    expect((await owner('PATCH', `${WORKSPACE}/batchEndpoints/heart-ep`, { tags: { a: 'b' } })).status).toBe(200);
    for (const path of ['batchEndpoints/new', 'models/new/versions/1', 'jobs/new', 'datastores/new', 'computes/new'])
      expect((await owner('PUT', `${WORKSPACE}/${path}`, {})).status, path).toBe(403);
  });
});

import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll } from 'vitest';
import { startAzurite, type Azurite } from '../../cli/azurite.ts';
import { ensureCertificate } from '../../cli/certificate.ts';
import { segmentSizes } from '../../shared/domain/segments.ts';
import { entraIssuers } from '../../shared/auth/entra-tokens.ts';
import { onBehalfOf } from '../../shared/auth/on-behalf-of.ts';
import { Assignments } from '../../shared/auth/roles.ts';
import { tokenVerifier } from '../../shared/auth/token-verifier.ts';
import { commitJob, type LaneResult } from '../../shared/steps/commit-job.ts';
import type { Datastore, JobDeps } from '../../shared/steps/deps.ts';
import { delegations, type DelegationDeps } from '../../shared/steps/identity/delegations.ts';
import { jobFiles } from '../../shared/steps/job-files.ts';
import { jobLogChunks } from '../../shared/steps/job-log-chunks.ts';
import { planJob, takeJob } from '../../shared/steps/plan-job.ts';
import { processTurns } from '../../shared/steps/process-turns.ts';
import { sliceTime } from '../../shared/steps/slice-time.ts';
import { accountOf } from '../../shared/storage/account.ts';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { collect, readJson } from '../../shared/storage/json-blobs.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import type { BlobRef, Blobs } from '../../shared/storage/ports.ts';
import { JOBS_CONTAINER } from '../../shared/storage/registry/jobs.ts';
import { localWrapping } from '../../shared/storage/sealing/local-wrapping.ts';
import { SealedText, unseal } from '../../shared/storage/sealing/sealed-text.ts';
import { signContainers } from '../../shared/storage/user-delegation.ts';
import { worldMaker, WORKSPACE, type Answer } from '../unit/api/api-world.ts';
import { runLane } from './job-world.ts';
import { lineEngine } from './line-engine.ts';
import { startSignIn, type SignIn } from './sign-in.ts';
import { silent } from './silent-log.ts';
import { startTenant, type Tenant } from './tenant.ts';

const CLIENT = randomUUID();
export const OWN = `api://${CLIENT}`;
/** Has the role of an invoker by the settings, so that a token for another service has it, too. */
export const OID = randomUUID();
export const JOBS = '/endpoints/heart/jobs';
const BLUE = `${WORKSPACE}/batchEndpoints/heart/deployments/blue`;
export const LAKE = 'azureml://datastores/lake/paths';
const EXECUTION = 'e';

interface Servers {
  readonly folder: string;
  readonly azurite: Azurite;
  readonly tenant: Tenant;
  readonly signIn: SignIn;
}

async function startServers(): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), 'batchpoint-invoker-'));
  const certificate = await ensureCertificate(folder);
  setDefaultCACertificates([...getCACertificates('default'), await readFile(certificate.ca, 'utf8')]);
  const tls = { cert: await readFile(certificate.cert, 'utf8'), key: await readFile(certificate.key, 'utf8') };
  const azurite = await startAzurite({ ports: [0, 0, 0], certificate, tokens: true });
  const storage = new URL(accountOf(azurite.connectionString).endpoint).origin;
  const tenant = await startTenant({ oid: randomUUID() });
  return {
    folder,
    azurite,
    tenant,
    signIn: await startSignIn(tenant, { clientId: CLIENT, audience: OWN, storage }, tls),
  };
}

/** What the app's own rights would do: whoever uses them here has lent them out. */
const untouchable: Blobs = new Proxy(memoryBlobs(), {
  get: (_blobs, name) => () => {
    throw new Error(`the app itself would ${String(name)} in the lake`);
  },
});

/**
 * A tenant, its sign-in, and storage that takes its tokens, while the tests of a file run; and worlds in which the deployment `blue`
 * runs as its invoker over the datastore `lake`, which the app itself cannot touch.
 */
export function invokerWorlds() {
  const freshWorld = worldMaker();
  let started: Servers | undefined;
  const servers = (): Servers => {
    if (!started) throw new Error('the servers start before the tests');
    return started;
  };
  const lake = (): Blobs => azureBlobs({ connectionString: servers().azurite.connectionString });

  beforeAll(async () => {
    started = await startServers();
    for (const container of ['data', 'secrets']) {
      await lake().ensureContainer(container);
      for (const name of ['in/a.csv', 'in/b.csv']) await lake().write({ container, name }, Buffer.from(`${name}\n`));
    }
  });
  afterAll(async () => {
    const { folder, azurite, tenant, signIn } = servers();
    await Promise.all([azurite.stop(), tenant.stop(), signIn.stop()]);
    await rm(folder, { recursive: true });
  });

  async function world(change: Partial<DelegationDeps> = {}) {
    const { azurite, tenant, signIn } = servers();
    const { account, endpoint } = accountOf(azurite.connectionString);
    const own = memoryBlobs();
    await own.ensureContainer('data');
    await own.write({ container: 'data', name: 'model/model.onnx' }, Buffer.from('onnx'));
    const stores: Datastore[] = [
      { address: { name: 'own', account: 'own', container: 'data', endpoint: 'http://own.invalid' }, blobs: own },
      { address: { name: 'lake', account, container: 'data', endpoint }, blobs: untouchable },
    ];
    const { authority, tenantId, secret } = tenant;
    const accepted = ['azureml'] as const;
    const issuers = entraIssuers({
      ...{ authority, tenantId, clientId: CLIENT, audiences: [], accepted },
      onFault: (error) => {
        throw error;
      },
    });
    const lent: object[] = [];
    const safe = memoryBlobs();
    await safe.ensureContainer(JOBS_CONTAINER);
    const access = delegations({
      blobs: safe,
      wrapping: localWrapping(async () => new Uint8Array(32).fill(1)),
      exchange: onBehalfOf({ authority: signIn.url, tenantId, clientId: CLIENT, proof: { secret } }),
      sign: signContainers,
      open: (serviceUri) => azureBlobs({ serviceUri }),
      clock: { now: () => Date.now() },
      log: { ...silent, info: (fields, message) => void lent.push({ fields, message }) },
      ...change,
    });
    const assignments = Assignments.parse({ [OID]: ['invoker'] });
    const api = await freshWorld({
      stores,
      delegations: access,
      grants: [],
      verifyToken: tokenVerifier({ issuers, assignments }),
    });
    const owner = {
      authorization: `Bearer ${await tenant.token(OWN, { oid: randomUUID(), roles: ['Batchpoint.Owner'] })}`,
    };
    const put = (path: string, properties: object): Promise<Answer> =>
      api.call('PUT', path, { body: { properties }, headers: owner });
    const deploy = (properties: object) => put(BLUE, { model: { assetId: 'azureml:heart:1' }, properties });
    await put(`${WORKSPACE}/models/heart/versions/1`, { modelUri: 'azureml://datastores/own/paths/model' });
    await put(`${WORKSPACE}/batchEndpoints/heart`, {});
    await deploy({ 'batchpoint.runAs': 'invoker' });
    await put(`${WORKSPACE}/batchEndpoints/heart`, { defaults: { deploymentName: 'blue' } });

    const { jobs, registry, datastores, workspace, clock, log, limits } = api.deps;
    const engine = lineEngine();
    const jobDeps: JobDeps = {
      ...{ jobs, registry, datastores, delegations: access, workspace, clock, log, limits },
      files: jobFiles(api.systemBlobs),
      logs: jobLogChunks(api.systemBlobs),
      engine: async () => ({ engine, release() {} }),
      workFolder: async () => tmpdir(),
      turns: processTurns(),
      sliceTime: sliceTime(),
      ...{ sliceMs: 60_000, slots: 8, blockBytes: 4 * 1024 * 1024, segmentSizes: segmentSizes(20_000) },
      storageWaits: { since: () => 0 },
      longestTryMs: 60_000,
    };
    /** The first activities of an orchestration. */
    const plan = async (job: string) => {
      await takeJob(jobDeps, { job, execution: EXECUTION });
      return planJob(jobDeps, { job, execution: EXECUTION });
    };
    const commit = (job: string, lanes: LaneResult[]) => commitJob(jobDeps, { job, execution: EXECUTION, lanes });
    return {
      ...api,
      tenant,
      signIn,
      safe,
      lent,
      endpoint,
      access,
      jobDeps,
      deploy,
      lake: lake(),
      plan,
      commit,
      person: () => tenant.token(OWN, { oid: OID, scp: 'user_impersonation' }),
      invoke: (token: string, properties: object, headers: Readonly<Record<string, string>> = {}) =>
        api.call('POST', JOBS, { body: { properties }, headers: { authorization: `Bearer ${token}`, ...headers } }),
      /** Names of what is kept of people's access. */
      async kept(): Promise<string[]> {
        const names: string[] = [];
        for await (const { name } of safe.list(JOBS_CONTAINER)) names.push(name);
        return names;
      },
      /** Plays the orchestrator; answers all that a history would hold of it. */
      async run(job: string): Promise<unknown[]> {
        const planned = await plan(job);
        if (!planned.ok) return [planned];
        const lanes = await Promise.all(
          Array.from({ length: planned.lanes }, (_, lane) => runLane(jobDeps, { job, lane }, null)),
        );
        return [planned, lanes, await commit(job, lanes)];
      },
      async text(name: string): Promise<string | undefined> {
        const found = await lake().read({ container: 'data', name });
        return found && Buffer.from(await collect(found.body)).toString();
      },
    };
  }
  return { world };
}

export type InvokerWorld = Awaited<ReturnType<ReturnType<typeof invokerWorlds>['world']>>;

export async function textOf(blobs: Blobs, ref: BlobRef): Promise<string> {
  const found = await blobs.read(ref);
  if (!found) throw new Error(`${ref.name} is not there`);
  return Buffer.from(await collect(found.body)).toString();
}

/** The addresses that a job was lent, as only the app can open them. */
export async function lentTo(world: InvokerWorld, job: string) {
  const [name = ''] = await world.kept();
  const sealed = await readJson(world.safe, { container: JOBS_CONTAINER, name }, SealedText);
  if (!sealed) throw new Error('nothing is kept');
  const wrapping = localWrapping(async () => new Uint8Array(32).fill(1));
  const id = (await world.jobs.spec(job))?.delegation ?? '';
  return JSON.parse(await unseal(wrapping, sealed, `${job}/${id}`)) as { input: string; output: string };
}

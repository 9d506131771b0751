import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { loadDevIssuer, type DevIssuer } from '../../../cli/dev-issuer.ts';
import { createApi, type Api } from '../../../shared/api/app.ts';
import { conflict } from '../../../shared/domain/errors.ts';
import type { ApiDeps } from '../../../shared/api/deps.ts';
import { STANDARD_LIMITS } from '../../../shared/limit-settings.ts';
import { DataGrants } from '../../../shared/auth/data-grants.ts';
import { devIssuer } from '../../../shared/auth/dev-tokens.ts';
import { tokenVerifier } from '../../../shared/auth/token-verifier.ts';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../../shared/storage/memory-tables.ts';
import type { Blobs, Table } from '../../../shared/storage/ports.ts';
import { JOBS_CONTAINER, jobsRegistry } from '../../../shared/storage/registry/jobs.ts';
import { resourceRegistry } from '../../../shared/storage/registry/resources.ts';
import { datastoreSource, type Datastores } from '../../../shared/steps/datastore-source.ts';
import type { Datastore } from '../../../shared/steps/deps.ts';
import { pipelinesRegistry } from '../../../shared/storage/registry/pipelines.ts';
import { cancelAnyJob } from '../../../shared/steps/any-job.ts';
import { countedStorage } from '../../support/counted-storage.ts';
import { expectDocumented } from './documented-answer.ts';
import { noDelegations } from '../../support/no-delegations.ts';

export const WORKSPACE =
  '/subscriptions/sub-1/resourceGroups/rg-1/providers/Microsoft.MachineLearningServices/workspaces/ws-1';
export const BASE = 'https://batch.example';
export const NOW = '2026-02-03T04:05:06.000Z';
export const CALLER = '00000000-0000-4000-8000-0000000000d0:00000000-0000-4000-8000-0000000000d1';
export const SYSTEM_DATA = { createdAt: NOW, createdBy: CALLER, createdByType: 'User', lastModifiedAt: NOW };

/** As in local.settings.sample.json. */
const EVERYTHING = DataGrants.parse([{ deployment: '*', datastore: '*', access: ['read', 'write'] }]);

export type Answer = { status: number; headers: Headers; body: unknown };

/** A call's extras; `body` is sent as JSON, `text` as it is. */
export interface Call {
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What differs in a world: datastores of the settings, accounts that others may be made in, and dependencies. */
export interface Changes extends Partial<Omit<ApiDeps, 'datastores'>> {
  readonly stores?: readonly Datastore[];
  readonly open?: Datastores['open'];
  /** The app's own storage; memory of its own without. */
  readonly storage?: { readonly table: Table; readonly blobs: Blobs };
}

/** Makes worlds for the tests of a file. They share one key, because making an RSA key takes its time. */
export function worldMaker(): (changes?: Changes) => Promise<World> {
  let folder: string;
  let issuer: DevIssuer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'batchpoint-api-'));
    issuer = await loadDevIssuer(join(folder, 'key.json'), {});
  });
  afterAll(() => rm(folder, { recursive: true }));
  return (changes) => apiWorld(issuer, changes);
}

/**
 * The whole API over storage in memory. `writes` grows with every change to the store, whoever makes it; `reads` counts those of
 * the app's own storage since it was last asked.
 */
export async function apiWorld(issuer: DevIssuer, given: Changes = {}) {
  const { stores, open = () => undefined, storage, ...changes } = given;
  const writes: string[] = [];
  const lines: { fields: Readonly<Record<string, unknown>>; message: string }[] = [];
  const started: string[] = [];
  // One table for both, as in the app.
  const own = countedStorage(storage ?? { table: memoryTables()('batchpoint'), blobs: memoryBlobs() });
  const table = watchedTable(own.table, writes);
  const systemBlobs = watchedBlobs(own.blobs, writes);
  const dataBlobs = watchedBlobs(memoryBlobs(), writes);
  await systemBlobs.ensureContainer(JOBS_CONTAINER);
  await dataBlobs.ensureContainer('data');
  const clock = { time: Date.parse(NOW), now: () => clock.time };
  const orchestrations = {
    start: async (job: string) => {
      started.push(job);
    },
    state: async () => 'active' as const,
  };
  const jobs = jobsRegistry({ table, blobs: systemBlobs });
  const pipelines = pipelinesRegistry({ table, blobs: systemBlobs });
  const log = (fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push({ fields, message });
  };
  const registry = resourceRegistry({ table, blobs: systemBlobs });
  const endpoint = 'https://acct.blob.core.windows.net';
  const store = {
    address: { name: 'workspaceblobstore', account: 'acct', container: 'data', endpoint },
    blobs: dataBlobs,
  };
  const delegations = changes.delegations ?? noDelegations(systemBlobs, clock);
  const deps: ApiDeps = {
    jobs,
    pipelines,
    orchestrations,
    pipelineOrchestrations: orchestrations,
    clock,
    // The clock stands still, so buckets never fill again.
    limits: { ...STANDARD_LIMITS, requestsPerSecond: 10_000, badTokensPerSecond: 10_000 },
    log: { debug: log, info: log, warn: log, error: log },
    registry,
    datastores: datastoreSource({ configured: stores ?? [store], registry, open, clock }),
    delegations,
    systemBlobs,
    workspace: {
      subscriptionId: 'sub-1',
      resourceGroup: 'rg-1',
      workspace: 'ws-1',
      location: 'westeurope',
      workspaceId: 'ws-guid',
      tenantId: 'tenant-1',
    },
    baseUrl: () => BASE,
    verifyToken: tokenVerifier({ issuers: [devIssuer(issuer.jwks)] }),
    prove: async () => undefined,
    grants: EVERYTHING,
    allowCode: true,
    maxTimeoutSeconds: 1720,
    cancelJob: (name) => cancelAnyJob({ jobs, pipelines, orchestrations, clock, delegations }, name),
    salvageJob: (name) => Promise.reject(conflict(`Job '${name}' had finished nothing that could be salvaged.`)),
    appExtensions: {},
    ...changes,
  };
  const api = createApi(deps);
  const token = await issuer.sign({ audience: 'api://batchpoint' });
  return {
    api,
    deps,
    issuer,
    clock,
    jobs,
    pipelines,
    writes,
    reads: own.counts,
    lines,
    started,
    systemBlobs,
    dataBlobs,
    call: caller(api, token),
  };
}

export type World = Awaited<ReturnType<typeof apiWorld>>;

/** A request as the Functions host would hand it over: a body has its Content-Length. */
export function request(method: string, path: string, { body, text, headers = {} }: Call = {}): Request {
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  return new Request(path.startsWith('https:') ? path : `${BASE}${path}`, {
    method,
    headers: {
      ...(sent === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(sent)) }),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  });
}

/** Calls the API; every answer must be one that its OpenAPI document tells of. */
function caller(api: Api, token: string) {
  return async (method: string, path: string, call: Call = {}): Promise<Answer> => {
    const headers = { authorization: `Bearer ${token}`, ...call.headers };
    const asked = request(method, path, { ...call, headers });
    const response = await api.fetch(asked);
    const text = await response.text();
    const body: unknown = text === '' ? '' : JSON.parse(text);
    if (method !== 'HEAD') expectDocumented(api.routes, asked, response.status, body);
    return { status: response.status, headers: response.headers, body };
  };
}

/** What an error answer says, without what differs from request to request. */
export function errorOf({ status, body }: Answer): unknown {
  const { error } = body as { error: { code: string; message: string; target?: string } };
  return { status, code: error.code, target: error.target, message: error.message };
}

/** A registered ONNX model `heart:1`, an endpoint `heart-ep` and its default deployment `blue`. */
export async function deployHeart(world: World): Promise<void> {
  const { call, dataBlobs } = world;
  await dataBlobs.write({ container: 'data', name: 'models/heart/model.onnx' }, new TextEncoder().encode('onnx'));
  const model = await call('PUT', `${WORKSPACE}/models/heart/versions/1`, {
    body: { properties: { modelUri: 'azureml://datastores/workspaceblobstore/paths/models/heart' } },
  });
  const endpoint = await call('PUT', `${WORKSPACE}/batchEndpoints/heart-ep`, { body: {} });
  const deployment = await call('PUT', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/blue`, {
    body: { properties: { model: { assetId: 'azureml:heart:1' }, compute: 'azureml:default' } },
  });
  const chosen = await call('PATCH', `${WORKSPACE}/batchEndpoints/heart-ep`, {
    body: { properties: { defaults: { deploymentName: 'blue' } } },
  });
  const statuses = [model, endpoint, deployment, chosen].map(({ status }) => status);
  if (statuses.join() !== '201,201,201,200') throw new Error(`the model was not deployed: ${statuses.join()}`);
}

/** A cluster of at most so many instances. */
export async function makeCompute({ call }: World, name: string, maxNodeCount: number): Promise<Answer> {
  const properties = { computeType: 'AmlCompute', properties: { scaleSettings: { maxNodeCount } } };
  return call('PUT', `${WORKSPACE}/computes/${name}`, { body: { location: 'westeurope', properties } });
}

function watchedTable(table: Table, writes: string[]): Table {
  return {
    ...table,
    insert: (key, values) => (writes.push(`insert ${key.row}`), table.insert(key, values)),
    replace: (key, values, etag) => (writes.push(`replace ${key.row}`), table.replace(key, values, etag)),
    remove: (key, etag) => (writes.push(`remove ${key.row}`), table.remove(key, etag)),
  };
}

function watchedBlobs(blobs: Blobs, writes: string[]): Blobs {
  return {
    ...blobs,
    write: (ref, ...rest) => (writes.push(`write ${ref.name}`), blobs.write(ref, ...rest)),
    writeStream: (ref, ...rest) => (writes.push(`write ${ref.name}`), blobs.writeStream(ref, ...rest)),
    remove: (ref) => (writes.push(`remove ${ref.name}`), blobs.remove(ref)),
  };
}

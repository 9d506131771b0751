import { expect } from 'vitest';
import { z } from 'zod';
import type { DevIssuer } from '../../cli/dev-issuer.ts';
import { OWN_AUDIENCE } from '../../shared/auth/dev-tokens.ts';
import { APP_ROLES, ROLES } from '../../shared/auth/roles.ts';
import { memoryBlobs } from '../../shared/storage/memory-blobs.ts';
import { memoryTables } from '../../shared/storage/memory-tables.ts';
import { apiWorld, deployHeart, makeCompute, WORKSPACE, type World } from '../unit/api/api-world.ts';
import { configuration, FLOW, registerComponent, STEP } from '../unit/api/pipelines-world.ts';
import { expectDocumented } from '../unit/api/documented-answer.ts';
import { CALLERS, requestFrom, type FuzzRequest } from './arbitrary-request.ts';
import { watchedState } from './watched-state.ts';

const HANGS_AFTER_MS = 20_000;

export type Tokens = ReadonlyMap<string, string>;

/** The Authorization header of each caller, signed once. */
export async function tokensOf(issuer: DevIssuer): Promise<Tokens> {
  const headers = await Promise.all(
    CALLERS.map(async (caller, index): Promise<[string, string] | undefined> => {
      if (caller === 'no token') return undefined;
      if (caller === 'a wrong token') return [caller, 'Bearer a.b.c'];
      const roles = ROLES.filter((role) => role === caller).map((role) => APP_ROLES[role]);
      const objectId = `00000000-0000-4000-8000-00000000000${index}`;
      return [caller, `Bearer ${await issuer.sign({ audience: OWN_AUDIENCE, objectId, roles })}`];
    }),
  );
  return new Map(headers.filter((one) => one !== undefined));
}

/** An app in this process that holds something of everything, and watches what becomes of it. */
export async function fuzzedApp(issuer: DevIssuer, tokens: Tokens) {
  const state = watchedState(memoryTables()('batchpoint'));
  const blobs = state.blobs('app', memoryBlobs());
  const dataBlobs = state.blobs('data', memoryBlobs());
  await dataBlobs.ensureContainer('data');
  const address = {
    name: 'workspaceblobstore',
    account: 'acct',
    container: 'data',
    endpoint: 'https://acct.blob.core.windows.net',
  };
  const world = await apiWorld(issuer, {
    storage: { table: state.table, blobs },
    stores: [{ address, blobs: dataBlobs }],
  });
  await furnish({ ...world, dataBlobs });
  state.changed();

  return async (sent: FuzzRequest): Promise<number> => {
    const started = world.started.length;
    const request = requestFrom(sent, tokens.get(sent.caller));
    const response = await answered(world.api.fetch(request));
    const { status } = response;
    const text = await response.text();
    expect(status, text).toBeLessThan(500);
    const isJson = text !== '' && response.headers.get('content-type')?.includes('json') === true;
    const body: unknown = isJson ? JSON.parse(text) : text;
    if (sent.method !== 'HEAD') expectDocumented(world.api.routes, request, status, body);
    const changed = state.changed();
    if (status < 400) expect(strangers(changed, request, body), 'changed, and not named').toEqual([]);
    else {
      expect(changed, 'changed by a refused request').toEqual([]);
      expect(world.started.slice(started), 'started by a refused request').toEqual([]);
      expect(text, 'a stack in an answer').not.toMatch(/\n\s+at |\.(?:ts|js):\d/);
    }
    return status;
  };
}

/** What is named by a digest: places of running jobs, the runs of steps, documents that are too large for a row. */
const DIGESTS = /^row (?:running-|run\|)|^blob app\/batchpoint-registry\/documents\//;

/** Keys in which neither a name of the request's path nor the name that was answered occurs. */
function strangers(changed: readonly string[], request: Request, body: unknown): string[] {
  const path = new URL(request.url).pathname.split(/\/workspaces\/[^/]+\//i).at(-1) ?? '';
  const written = path.replace(/^\/endpoints\//, 'endpoints/').split('/');
  const answer = Answered.safeParse(body).data?.name ?? [];
  const names = [...written.filter((_, index) => index % 2 === 1), answer].flat().map((name) => name.toLowerCase());
  return changed.filter((key) => !DIGESTS.test(key) && !names.some((name) => key.toLowerCase().includes(name)));
}

const Answered = z.looseObject({ name: z.string() });

async function answered(response: Promise<Response>): Promise<Response> {
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${HANGS_AFTER_MS} ms`)), HANGS_AFTER_MS);
  });
  try {
    return await Promise.race([response, hung]);
  } finally {
    clearTimeout(timer);
  }
}

async function furnish(world: World): Promise<void> {
  const { call } = world;
  await deployHeart(world);
  await makeCompute(world, 'cluster', 2);
  await registerComponent(world, 'step', STEP);
  await registerComponent(world, 'flow', FLOW);
  const put = async (method: string, path: string, body: object): Promise<void> => {
    const { status, body: answer } = await call(method, path, { body });
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  };
  await put('PUT', `${WORKSPACE}/batchEndpoints/flow-ep`, {});
  await put('PUT', `${WORKSPACE}/batchEndpoints/flow-ep/deployments/blue`, {
    properties: { deploymentConfiguration: configuration() },
  });
  await put('PATCH', `${WORKSPACE}/batchEndpoints/flow-ep`, { properties: { defaults: { deploymentName: 'blue' } } });
  await put('PUT', `${WORKSPACE}/data/files/versions/1`, {
    properties: { dataType: 'uri_folder', dataUri: 'azureml://datastores/workspaceblobstore/paths/in' },
  });
}

import { generateKeyPair, SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROUTE_ACTIONS } from '../../../shared/api/route-table.ts';
import { APP_ROLES, ROLES, type Role } from '../../../shared/auth/roles.ts';
import { request } from '../api/api-world.ts';
import { ROUTE_ROWS, type RouteRow } from '../api/route-rows.ts';
import { OWN, PERSON, reheaded, tenantWorld } from './tenant-world.ts';

const { tenant, app, person } = tenantWorld();
let send: (route: string, row: RouteRow, token?: string) => Promise<number>;
let writes: readonly string[];

beforeAll(async () => {
  const { world } = await app();
  writes = world.writes;
  send = async (route, { path, body }, token) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const call = { headers, ...(body === undefined ? {} : { body }) };
    return (await world.api.fetch(request(route.split(' ')[0] ?? '', path, call))).status;
  };
});

/** Who may use a route at all, written out: the table of the app is checked against it. */
const WHO: Readonly<Record<string, readonly Role[]>> = {
  'workspace/read': ROLES,
  'jobs/read': ROLES,
  'jobs/submit': ['invoker', 'operator', 'owner'],
  'jobs/change': ['invoker', 'operator', 'owner'],
  'data/write': ['operator', 'owner'],
  'datastores/listSecrets': ['operator', 'owner'],
  'workspace/write': ['owner'],
  'deployments/write': ['owner'],
};

const rows = Object.entries(ROUTE_ROWS).map(([route, row]) => ({ route, row }));
const closed = rows.filter(({ row }) => !row.isPublic);

/** Routes below a workspace without what is the same in all of them. */
const short = (route: string): string => route.replace(/ .*workspaces\/:workspace/, ' ');

describe('every route', () => {
  it('has an action, and there is no action without a route', () => {
    expect(Object.keys(ROUTE_ACTIONS).sort()).toEqual(Object.keys(ROUTE_ROWS).sort());
    const open = Object.entries(ROUTE_ACTIONS).filter(([, action]) => action === 'open');
    expect(open.map(([route]) => route)).toEqual(rows.filter(({ row }) => row.isPublic).map(({ route }) => route));
  });

  it('that changes or hands out something is an owner’s, but for these', () => {
    const others = Object.entries(ROUTE_ACTIONS).filter(
      ([route, action]) => !route.startsWith('GET') && WHO[action]?.join() !== 'owner',
    );
    expect(Object.fromEntries(others.map(([route, action]) => [short(route), action]))).toEqual({
      'POST /endpoints/:endpoint/jobs': 'jobs/submit',
      'POST /endpoints/:endpoint/jobs/*': 'jobs/change',
      'POST /batchendpoints/:endpoint/jobs': 'jobs/submit',
      'POST /batchendpoints/:endpoint/deployments/:deployment/jobs': 'jobs/submit',
      'DELETE /jobs/:job': 'jobs/change',
      'POST /jobs/:job/cancel': 'jobs/change',
      'PATCH /runs/:run': 'jobs/change',
      'PATCH /experiments/:experiment/runs/:run': 'jobs/change',
      'POST /rundata': 'jobs/read',
      'POST /dataversion/:operation': 'jobs/read',
      'PUT /data/:name': 'data/write',
      'DELETE /data/:name': 'data/write',
      'PUT /data/:name/versions/:version': 'data/write',
      'DELETE /data/:name/versions/:version': 'data/write',
      'POST /data/:name/versions/:version/startpendingupload': 'data/write',
      'POST /datastores/:name/listsecrets': 'datastores/listSecrets',
      'POST /batchendpoints/:endpoint/listkeys': 'workspace/read',
      'POST /computes/:name/listnodes': 'workspace/read',
    });
  });
});

describe.each([...ROLES, 'no role'] as const)('a caller with %s', (role) => {
  let token: string;
  beforeAll(async () => {
    const roles = role === 'no role' ? ['Other.Role'] : [APP_ROLES[role]];
    token = await tenant().token(OWN, { ...PERSON, roles });
  });

  it.each(rows)('calls $route', async ({ route, row }) => {
    const before = writes.length;
    const who = WHO[ROUTE_ACTIONS[route] ?? ''] ?? [];
    const isAllowed = row.isPublic === true || ROLES.filter((one) => one === role).some((one) => who.includes(one));
    expect(await send(route, row, token)).toBe(isAllowed ? row.status : 403);
    expect(writes.slice(before)).toEqual([]);
  });
});

describe.each<[string, () => Promise<string | undefined>]>([
  ['no token', async () => undefined],
  ['an expired token', () => person({ claims: { exp: 1 } })],
  ['a token for another service', () => tenant().token('https://ml.azure.com', PERSON)],
  ['a token of another tenant', () => person({ claims: { tid: randomUUID() } })],
  ['a token of another key', forged],
  ['a token with alg none', async () => reheaded(await person(), { alg: 'none' }, '')],
  ['a token signed by HS256', async () => reheaded(await person(), { alg: 'HS256' }, 'AAAA')],
  ['an app without roles', () => tenant().token(OWN, { oid: randomUUID() })],
])('a caller with %s', (what, make) => {
  it('gets in nowhere', async () => {
    const token = await make();
    const status = what === 'an app without roles' ? 403 : 401;
    const before = writes.length;
    for (const { route, row } of closed) expect(await send(route, row, token), route).toBe(status);
    expect(writes.slice(before)).toEqual([]);
  });
});

async function forged(): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256');
  const [, payload = ''] = (await person()).split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
}

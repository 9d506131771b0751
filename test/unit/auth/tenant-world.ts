import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import { authorizationUri, entraIssuers, type ForeignAudience } from '../../../shared/auth/entra-tokens.ts';
import type { Principal } from '../../../shared/auth/principal.ts';
import { tokenVerifier } from '../../../shared/auth/token-verifier.ts';
import { startTenant, type Asked, type Caller, type Tenant } from '../../support/tenant.ts';
import { request, worldMaker, WORKSPACE } from '../api/api-world.ts';

export const CLIENT = randomUUID();
export const OWN = `api://${CLIENT}`;
export const APP: Caller = { oid: randomUUID(), roles: ['Batchpoint.Invoker'] };
export const PERSON: Caller = { oid: randomUUID(), roles: ['Batchpoint.Reader'], scp: 'openid user_impersonation' };

/** One path of each plane. Only the second one leads to something in an empty world. */
export const SCORING = '/endpoints/none/jobs';
export const MANAGEMENT = `${WORKSPACE}/batchEndpoints`;
export const MFE = `/mferp/managementfrontend${WORKSPACE}/batchEndpoints/none/jobs`;
export const HISTORY = `/history/v1.0${WORKSPACE}/runs/none`;
export const DATA = `/data/v1.0${WORKSPACE}/dataversion/none`;

/** A tenant, running while the tests of a file run, and apps that trust it. */
export function tenantWorld() {
  const freshWorld = worldMaker();
  const faults: unknown[] = [];
  let started: Tenant | undefined;
  const tenant = (): Tenant => {
    if (!started) throw new Error('the tenant starts before the tests');
    return started;
  };

  beforeAll(async () => {
    started = await startTenant(APP);
  });
  afterAll(() => tenant().stop());
  afterEach(() => {
    tenant().answer(200);
    faults.length = 0;
    vi.useRealTimers();
  });

  /** An app that trusts the tenant, with what it took the last good token for. */
  const app = async (accepted: readonly ForeignAudience[] = []) => {
    const { authority, tenantId } = tenant();
    const issuers = entraIssuers({
      ...{ authority, tenantId, clientId: CLIENT, audiences: ['https://batch.contoso.com'], accepted },
      onFault: (error) => faults.push(error),
    });
    const verify = tokenVerifier({ issuers });
    let last: Principal | undefined;
    const world = await freshWorld({
      authorizationUri: authorizationUri(tenant()),
      verifyToken: async (...given) => (last = await verify(...given)),
    });
    const send = async (path: string, token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const call =
        path === DATA ? request('POST', path, { headers, body: { values: [] } }) : request('GET', path, { headers });
      const response = await world.api.fetch(call);
      return { status: response.status, headers: response.headers, body: await response.json() };
    };
    return { world, verify, send, caller: () => last };
  };

  return { tenant, app, faults, person: (asked?: Asked) => tenant().token(OWN, PERSON, asked) };
}

/** The token with another header, as a forger makes it. */
export function reheaded(token: string, header: object, signature: string): string {
  const [, payload = ''] = token.split('.');
  return [Buffer.from(JSON.stringify(header)).toString('base64url'), payload, signature].join('.');
}

import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { errorOf } from '../api/api-world.ts';
import { APP, OWN, reheaded, SCORING, tenantWorld } from './tenant-world.ts';

const { tenant, app, faults, person } = tenantWorld();

describe('the keys of the tenant', () => {
  it('are fetched once, and once more for a key that is new', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { verify } = await app();
    const before = tenant().fetches();
    const old = await person();
    await Promise.all([old, old, old].map((token) => verify(token, ['scoring'])));
    expect(tenant().fetches() - before).toBe(1);
    await tenant().rotate();
    tenant().publish();
    vi.advanceTimersByTime(5 * 60_000);
    const fresh = await person();
    await Promise.all([fresh, fresh, old].map((token) => verify(token, ['scoring'])));
    await verify(fresh, ['scoring']);
    expect(tenant().fetches() - before).toBe(2);
  });

  it('are not asked for again by a storm of keys that do not exist', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { verify } = await app();
    const before = tenant().fetches();
    const good = await person();
    await verify(good, ['scoring']);
    const storm = async () => {
      const tokens = Array.from({ length: 100 }, () => reheaded(good, { alg: 'RS256', kid: randomUUID() }, 'AAAA'));
      const refused = await Promise.allSettled(tokens.map((token) => verify(token, ['scoring'])));
      expect(
        refused.map((one) => one.status === 'rejected' && z.object({ status: z.number() }).parse(one.reason).status),
      ).toEqual(tokens.map(() => 401));
    };
    await storm();
    await storm();
    expect(tenant().fetches() - before).toBe(1);
    vi.advanceTimersByTime(5 * 60_000);
    await storm();
    await storm();
    expect(tenant().fetches() - before).toBe(2);
  });

  it.each([500, 404, 302])(
    'that answer %i make the app unavailable, not the token invalid, until they are back',
    async (status) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const { send } = await app();
      const before = tenant().fetches();
      const token = await person();
      tenant().answer(status);
      for (let time = 0; time < 3; time++) {
        const answer = await send(SCORING, token);
        expect([answer.headers.get('retry-after'), errorOf(answer)]).toEqual([
          '5',
          {
            ...{ status: 503, code: 'ServiceUnavailable', target: undefined },
            message: 'The keys of the token issuer cannot be fetched now. Try again.',
          },
        ]);
      }
      expect([tenant().fetches() - before, faults.length]).toEqual([1, 1]);
      tenant().answer(200);
      vi.advanceTimersByTime(5000);
      expect((await send(SCORING, token)).status).toBe(404);
    },
  );

  it('that are known serve while their address is down', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { send } = await app();
    const token = await person();
    await send(SCORING, token);
    tenant().answer(500);
    vi.advanceTimersByTime(30 * 60_000);
    expect((await send(SCORING, token)).status).toBe(404);
  });
});

describe('a service without a person', () => {
  const Answer = z.object({ access_token: z.string() });

  const credentials = async (path: string, more: Record<string, string>, secret = tenant().secret) =>
    fetch(`${tenant().authority}/${tenant().tenantId}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'c', client_secret: secret, ...more }),
    });
  const identity = async () =>
    fetch(`${tenant().authority}/msi/token?api-version=2019-08-01&resource=${encodeURIComponent(OWN)}`, {
      headers: { 'X-IDENTITY-HEADER': tenant().secret },
    });

  it.each([
    ['client credentials by resource', () => credentials('/oauth2/token', { resource: OWN })],
    ['client credentials by scope', () => credentials('/oauth2/v2.0/token', { scope: `${OWN}/.default` })],
    ['a managed identity', identity],
  ])('comes in by %s', async (_how, ask) => {
    const { send, caller } = await app();
    const { access_token: token } = Answer.parse(await (await ask()).json());
    expect((await send(SCORING, token)).status).toBe(404);
    expect(caller()).toMatchObject({ objectId: APP.oid, grants: [{ role: 'invoker' }] });
  });

  it('gets no token with a wrong secret', async () => {
    expect((await credentials('/oauth2/token', { resource: OWN }, 'guess')).status).toBe(401);
  });
});

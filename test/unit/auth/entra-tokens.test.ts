import { randomUUID } from 'node:crypto';
import { exportSPKI, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { entraIssuers, type ForeignAudience } from '../../../shared/auth/entra-tokens.ts';
import { errorOf } from '../api/api-world.ts';
import {
  APP,
  CLIENT,
  DATA,
  HISTORY,
  MANAGEMENT,
  MFE,
  OWN,
  PERSON,
  reheaded,
  SCORING,
  tenantWorld,
} from './tenant-world.ts';

const { tenant, app, faults, person } = tenantWorld();

const now = (): number => Math.floor(Date.now() / 1000);

describe('a token of the tenant', () => {
  const own = [OWN, `${OWN}/`, CLIENT, 'https://batch.contoso.com', 'https://batch.contoso.com/'];
  it.each(own.flatMap((audience) => (['1.0', '2.0'] as const).map((version) => ({ audience, version }))))(
    'of version $version for $audience opens every plane',
    async ({ audience, version }) => {
      const { send, caller } = await app();
      for (const who of [APP, PERSON]) {
        const token = await tenant().token(audience, who, { version });
        for (const path of [SCORING, MANAGEMENT, MFE, HISTORY, DATA])
          expect((await send(path, token)).status).toBe(path === MANAGEMENT ? 200 : 404);
        expect(caller()).toEqual({
          subject: `${tenant().tenantId}:${who.oid}`,
          tenantId: tenant().tenantId,
          objectId: who.oid,
          ...(who === APP ? { kind: 'app' } : { kind: 'person', name: 'A Person' }),
          grants: who === APP ? [{ role: 'invoker' }] : [{ role: 'reader' }],
        });
      }
    },
  );

  it.each<[string, string, () => Promise<string> | string]>([
    ['that has expired', 'The token has expired.', () => person({ claims: { exp: now() - 61 } })],
    [
      'of tomorrow',
      'The token was refused: "nbf" claim timestamp check failed.',
      () => person({ claims: { nbf: now() + 120 } }),
    ],
    [
      'of another audience',
      'Audiences in JWT are not allowed',
      () => tenant().token('https://graph.microsoft.com', PERSON),
    ],
    ['for Azure ML', 'Audiences in JWT are not allowed', () => tenant().token('https://ml.azure.com', PERSON)],
    ['of another app', 'Audiences in JWT are not allowed', () => tenant().token(`api://${randomUUID()}`, PERSON)],
    [
      'of another tenant by the same keys',
      'The token is of another tenant.',
      () => person({ claims: { tid: randomUUID() } }),
    ],
    [
      'by another issuer',
      'The token was issued by nobody that this app trusts.',
      () => person({ claims: { iss: `https://login.microsoftonline.com/${tenant().tenantId}/v2.0` } }),
    ],
    [
      'for Microsoft Graph',
      'The token is for Microsoft Graph. Ask for one for this app.',
      () => person({ header: { nonce: 'n' } }),
    ],
    [
      'whose version is not its issuer’s',
      'A token of this issuer must be of version 2.0.',
      () => person({ claims: { ver: '1.0' } }),
    ],
    [
      'without a version',
      'A token of this issuer must be of version 2.0.',
      () => person({ claims: { ver: undefined } }),
    ],
    ['that is an id token', 'The token is not an access token.', () => person({ claims: { azp: undefined } })],
    [
      'without tid',
      "The token's claim 'tid' is missing or of a wrong kind.",
      () => person({ claims: { tid: undefined } }),
    ],
    [
      'without oid',
      "The token's claim 'oid' is missing or of a wrong kind.",
      () => person({ claims: { oid: undefined } }),
    ],
    [
      'with one role as text',
      "The token's claim 'roles' is missing or of a wrong kind.",
      () => person({ claims: { roles: 'x' } }),
    ],
    ['of another key with our key’s name', 'The token was refused: signature verification failed.', otherKey],
    [
      'with alg none',
      'The token was refused: "alg" (Algorithm) Header Parameter value not allowed.',
      async () => reheaded(await person(), { alg: 'none' }, ''),
    ],
    [
      'signed by HS256 with the public key',
      'The token was refused: "alg" (Algorithm) Header Parameter value not allowed.',
      withPublicKeyAsSecret,
    ],
    [
      'whose signature is written in another way',
      'The token was refused: signature verification failed.',
      async () => `${await person()}=`,
    ],
    [
      'with an extension that must be understood',
      'The token was refused: "crit" (Critical) Header Parameter is not supported.',
      async () => reheaded(await person(), { alg: 'RS256', crit: ['b64'], b64: false }, 'AAAA'),
    ],
  ])('%s is refused', async (_what, message, make) => {
    const { send, world } = await app();
    const token = await make();
    const answer = await send(SCORING, token);
    expect({ ...(errorOf(answer) as object), challenge: answer.headers.get('www-authenticate') }).toEqual({
      ...{ status: 401, code: 'InvalidToken', target: undefined, message },
      challenge: `Bearer realm="batchpoint", authorization_uri="${tenant().authority}/${tenant().tenantId}", error="invalid_token", error_description="${message.replaceAll('"', '')}"`,
    });
    for (const part of token.split('.').filter((text) => text !== ''))
      expect(JSON.stringify([answer.body, world.lines, faults])).not.toContain(part);
  });

  it.each([
    ['of a person whose client may not act for them', { scp: 'openid' }],
    ['of a person without a scope', { scp: undefined, idtyp: 'user' }],
  ])('%s is forbidden', async (_what, claims) => {
    const { send } = await app();
    expect(errorOf(await send(SCORING, await person({ claims })))).toEqual({
      ...{ status: 403, code: 'AuthorizationFailed', target: undefined },
      message: "The token does not have the scope 'user_impersonation' of this app.",
    });
  });

  it('may be off by less than a minute', async () => {
    const { send } = await app();
    for (const claims of [{ exp: now() - 30 }, { nbf: now() + 30 }])
      expect((await send(SCORING, await person({ claims }))).status).toBe(404);
  });
});

const headerOf = (token: string) =>
  z.object({ kid: z.string() }).parse(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()));
const payloadOf = (token: string) =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()));

async function otherKey(): Promise<string> {
  const good = await person();
  const { privateKey } = await generateKeyPair('RS256');
  return new SignJWT(payloadOf(good)).setProtectedHeader({ alg: 'RS256', kid: headerOf(good).kid }).sign(privateKey);
}

async function withPublicKeyAsSecret(): Promise<string> {
  const good = await person();
  const answer = await fetch(`${tenant().authority}/${tenant().tenantId}/discovery/v2.0/keys`);
  const { keys } = (await answer.json()) as { keys: [JWK] };
  const key = await importJWK(keys[0], 'RS256');
  if (key instanceof Uint8Array) throw new Error('an RSA key was expected');
  const secret = new TextEncoder().encode(await exportSPKI(key));
  return new SignJWT(payloadOf(good)).setProtectedHeader({ alg: 'HS256', kid: headerOf(good).kid }).sign(secret);
}

describe('a token for another service', () => {
  const AZURE_ML = 'https://ml.azure.com';
  const ARM = 'https://management.azure.com';

  it.each<[readonly ForeignAudience[], string, readonly string[]]>([
    [['azureml'], AZURE_ML, [SCORING, MFE, HISTORY, DATA]],
    [['arm'], ARM, [MANAGEMENT, MFE, HISTORY, DATA]],
    [['azureml'], ARM, []],
    [['arm'], AZURE_ML, []],
    [[], AZURE_ML, []],
    [[], ARM, []],
  ])('with %j accepted, %s opens %j and grants nothing', async (accepted, audience, open) => {
    const { send, caller } = await app(accepted);
    for (const written of [audience, `${audience}/`]) {
      // Neither roles nor scopes of the other service mean anything here.
      const token = await tenant().token(
        written,
        { ...PERSON, roles: ['Batchpoint.Owner'], scp: 'anything' },
        { version: '1.0' },
      );
      for (const path of [SCORING, MANAGEMENT, MFE, HISTORY, DATA]) {
        const { status } = await send(path, token);
        expect(status === 401, path).toBe(!open.includes(path));
      }
      expect(caller()?.grants ?? []).toEqual([]);
    }
  });
});

it('names the older host of its cloud in tokens of version 1.0', () => {
  const issuersOf = (authority: string) =>
    entraIssuers({
      authority,
      tenantId: 't',
      clientId: 'c',
      audiences: [],
      accepted: [],
      onFault: () => undefined,
    }).map(({ issuer }) => issuer);
  expect(issuersOf('https://login.microsoftonline.com')).toEqual([
    'https://sts.windows.net/t/',
    'https://login.microsoftonline.com/t/v2.0',
  ]);
  expect(issuersOf('https://login.microsoftonline.us')).toEqual([
    'https://sts.windows.net/t/',
    'https://login.microsoftonline.us/t/v2.0',
  ]);
  expect(issuersOf('https://login.partner.microsoftonline.cn')).toEqual([
    'https://sts.chinacloudapi.cn/t/',
    'https://login.partner.microsoftonline.cn/t/v2.0',
  ]);
});

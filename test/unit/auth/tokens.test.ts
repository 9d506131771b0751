import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDevIssuer, type DevIssuer } from '../../../cli/dev-issuer.ts';
import { DEV_ISSUER, devIssuer } from '../../../shared/auth/dev-tokens.ts';
import { tokenVerifier } from '../../../shared/auth/token-verifier.ts';
import { apiWorld, errorOf, request, WORKSPACE, type World } from '../api/api-world.ts';

const SCORING = '/endpoints/none/jobs';
const MANAGEMENT = `${WORKSPACE}/batchEndpoints`;
const HOUR = 3600;

let folder: string;
let issuer: DevIssuer;
let world: World;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-auth-'));
  issuer = await loadDevIssuer(join(folder, 'key.json'), {});
  world = await apiWorld(issuer);
});
afterAll(() => rm(folder, { recursive: true }));

const now = () => Math.floor(Date.now() / 1000);
const CLAIMS = { iss: DEV_ISSUER, aud: 'api://batchpoint', tid: 't', oid: 'o', roles: ['Batchpoint.Owner'] };
const privateKey = async () => {
  const jwk = JSON.parse(await readFile(join(folder, 'key.json'), 'utf8')) as { kid: string };
  return { kid: jwk.kid, key: await importJWK(jwk, 'RS256') };
};

/** A token of the dev issuer's own key with any claims. */
async function signed(claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
  const { kid, key } = await privateKey();
  const payload = { ...CLAIMS, exp: now() + HOUR, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid, ...header }).sign(key);
}

const unsigned = (header: object, claims: object): string =>
  [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + '.';

async function signedWithPublicKeyAsSecret(): Promise<string> {
  const [jwk] = (JSON.parse(issuer.jwks) as { keys: [{ kty: string; kid: string }] }).keys;
  const key = await importJWK(jwk, 'RS256');
  if (key instanceof Uint8Array) throw new Error('an RSA key was expected');
  const secret = new TextEncoder().encode(await exportSPKI(key));
  return new SignJWT({ ...CLAIMS, exp: now() + HOUR }).setProtectedHeader({ alg: 'HS256', kid: jwk.kid }).sign(secret);
}

async function signedByAnother(): Promise<string> {
  const other = await loadDevIssuer(join(folder, 'other.json'), {});
  return other.sign({ audience: 'api://batchpoint' });
}

const send = async (path: string, headers: Record<string, string>) => {
  const response = await world.api.fetch(request('GET', path, { headers }));
  return { status: response.status, headers: response.headers, body: await response.json() };
};

describe('a token', () => {
  it.each([
    ['api://batchpoint', SCORING],
    ['https://ml.azure.com', SCORING],
    ['https://ml.azure.com/', SCORING],
    ['api://batchpoint', MANAGEMENT],
    ['https://management.azure.com', MANAGEMENT],
    ['https://management.azure.com/', MANAGEMENT],
    ['https://ml.azure.com', '/unknown'],
    ['https://management.azure.com', '/unknown'],
  ])('for %s opens %s', async (audience, path) => {
    const answer = await send(path, { authorization: `Bearer ${await issuer.sign({ audience })}` });
    expect(answer.status).toBe(path === MANAGEMENT ? 200 : 404);
  });

  it.each<[string, string, () => Promise<string> | string]>([
    ['that is garbage', 'The bearer token is not a JSON Web Token.', () => 'garbage'],
    ['with three parts of garbage', 'The bearer token is not a JSON Web Token.', () => 'a.b.c'],
    ['that has expired', 'The token has expired.', () => signed({ exp: now() - 61 })],
    ['that never expires', "The token's claim 'exp' is missing or of a wrong kind.", () => signed({ exp: undefined })],
    ['of tomorrow', 'The token was refused: "nbf" claim timestamp check failed.', () => signed({ nbf: now() + 120 })],
    ['of another audience', 'Audiences in JWT are not allowed', () => signed({ aud: 'https://graph.microsoft.com' })],
    ['of the other plane', 'Audiences in JWT are not allowed', () => signed({ aud: 'https://management.azure.com' })],
    [
      'of two audiences',
      'Audiences in JWT are not allowed',
      () => signed({ aud: ['api://batchpoint', 'https://x.example'] }),
    ],
    ['of no audience', 'Audiences in JWT are not allowed', () => signed({ aud: [] })],
    ['of a similar audience', 'Audiences in JWT are not allowed', () => signed({ aud: 'https://ml.azure.com//' })],
    ['without tid', "The token's claim 'tid' is missing or of a wrong kind.", () => signed({ tid: undefined })],
    ['without oid', "The token's claim 'oid' is missing or of a wrong kind.", () => signed({ oid: undefined })],
    [
      'of another issuer',
      'The token was issued by nobody that this app trusts.',
      () => signed({ iss: 'https://x.example' }),
    ],
    ['of another key', 'The token was refused: no applicable key found in the JSON Web Key Set.', signedByAnother],
    [
      'with alg none',
      'The token was refused: "alg" (Algorithm) Header Parameter value not allowed.',
      () => unsigned({ alg: 'none' }, { ...CLAIMS, exp: now() + HOUR }),
    ],
    [
      'signed by HS256 with the public key',
      'The token was refused: "alg" (Algorithm) Header Parameter value not allowed.',
      signedWithPublicKeyAsSecret,
    ],
    [
      'that was changed after it was signed',
      'The token was refused: signature verification failed.',
      async () => {
        const [header, , signature] = (await signed({})).split('.');
        const forged = Buffer.from(JSON.stringify({ ...CLAIMS, oid: 'admin', exp: now() + HOUR })).toString(
          'base64url',
        );
        return [header, forged, signature].join('.');
      },
    ],
  ])('%s is refused', async (_what, message, make) => {
    const token = await make();
    const answer = await send(SCORING, { authorization: `Bearer ${token}` });
    expect({ ...(errorOf(answer) as object), challenge: answer.headers.get('www-authenticate') }).toEqual({
      status: 401,
      code: 'InvalidToken',
      target: undefined,
      message,
      challenge: `Bearer realm="batchpoint", error="invalid_token", error_description="${message.replaceAll('"', '')}"`,
    });
    expect(JSON.stringify([answer.body, world.lines])).not.toContain(token);
  });

  it('of the scoring plane does not open the management plane', async () => {
    const authorization = `Bearer ${await issuer.sign({ audience: 'https://ml.azure.com' })}`;
    expect(errorOf(await send(MANAGEMENT, { authorization }))).toMatchObject({
      status: 401,
      message: 'Audiences in JWT are not allowed',
    });
  });

  it('may be off by less than a minute', async () => {
    for (const claims of [{ exp: now() - 30 }, { nbf: now() + 30 }])
      expect((await send(SCORING, { authorization: `bearer ${await signed(claims)}` })).status).toBe(404);
  });

  it('proves nothing by a key that is too short', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'short' }] });
    const claims = { ...CLAIMS, exp: now() + HOUR };
    const text = unsigned({ alg: 'RS256', kid: 'short' }, claims).slice(0, -1);
    const signature = sign('sha256', Buffer.from(text), privateKey).toString('base64url');
    await expect(
      tokenVerifier({ issuers: [devIssuer(jwks)] })(`${text}.${signature}`, ['scoring']),
    ).rejects.toMatchObject({ status: 401, message: 'The token was refused: RS256 takes keys of 2048 bits or more.' });
  });

  it('cannot bring the key that proves it', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const token = await new SignJWT({ ...CLAIMS, exp: now() + HOUR })
      .setProtectedHeader({ alg: 'RS256', jku: 'https://x.example/keys', jwk })
      .sign(privateKey);
    expect(errorOf(await send(SCORING, { authorization: `Bearer ${token}` }))).toMatchObject({
      status: 401,
      message: 'The token was refused: signature verification failed.',
    });
  });
});

describe('without a token', () => {
  it.each([SCORING, MANAGEMENT, '/unknown', '/'])('%s is closed', async (path) => {
    const answer = await send(path, {});
    expect({ ...(errorOf(answer) as object), challenge: answer.headers.get('www-authenticate') }).toEqual({
      status: 401,
      code: 'Unauthorized',
      target: undefined,
      message: 'Authorization: Bearer <token> is required.',
      challenge: 'Bearer realm="batchpoint"',
    });
  });

  it.each(['Basic dXNlcjpwYXNz', 'Bearer', 'Bearer a b', `Bearer ${'x'.repeat(20_000)}`])(
    'the header %.20s is no way in',
    async (authorization) => {
      expect(errorOf(await send(SCORING, { authorization }))).toMatchObject({ status: 401, code: 'InvalidToken' });
    },
  );
});

describe('the development issuer', () => {
  it('keeps one key in a file that only its owner can read', async () => {
    const path = join(folder, 'deep', 'key.json');
    const [one, two] = await Promise.all([loadDevIssuer(path, {}), loadDevIssuer(path, {})]);
    const three = await loadDevIssuer(path, {});
    expect([two.jwks, three.jwks]).toEqual([one.jwks, one.jwks]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(Object.keys((JSON.parse(one.jwks) as { keys: [object] }).keys[0])).toEqual(['kty', 'kid', 'n', 'e']);
  });

  it('refuses a key file that others can read, and one that holds no key', async () => {
    const open = join(folder, 'open.json');
    await writeFile(open, await readFile(join(folder, 'key.json')), { mode: 0o644 });
    await expect(loadDevIssuer(open, {})).rejects.toThrow('can be read by others');
    const empty = join(folder, 'empty.json');
    await writeFile(empty, '{}', { mode: 0o600 });
    await expect(loadDevIssuer(empty, {})).rejects.toThrow();
  });

  it('does not run in Azure', async () => {
    await expect(loadDevIssuer(join(folder, 'key.json'), { WEBSITE_INSTANCE_ID: 'x' })).rejects.toThrow(
      'does not run in Azure',
    );
  });

  it('is known to the server by public keys only', async () => {
    const key = await readFile(join(folder, 'key.json'), 'utf8');
    expect(() => devIssuer(`{"keys":[${key}]}`)).toThrow('must not hold a private key');
    expect(() => devIssuer('{"keys":[]}')).toThrow();
    expect(() => devIssuer('keys')).toThrow();
  });
});

import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { z } from 'zod';

/** The names below are the server's too (shared/auth/dev-tokens.ts); a test signs here and verifies there. */
const ISSUER = 'https://batchpoint.invalid/dev';
const TENANT = '00000000-0000-4000-8000-0000000000d0';
const DEVELOPER = '00000000-0000-4000-8000-0000000000d1';
const KEY_ID_LENGTH = 16;

const RsaKey = z.object({
  kty: z.literal('RSA'),
  kid: z.string(),
  n: z.string(),
  e: z.string(),
  d: z.string(),
  p: z.string(),
  q: z.string(),
  dp: z.string(),
  dq: z.string(),
  qi: z.string(),
});
type RsaKey = z.infer<typeof RsaKey>;

export interface TokenRequest {
  readonly audience: string;
  /** Tenant and object id; a fixed developer when absent. */
  readonly tenantId?: string;
  readonly objectId?: string;
  /** App roles by the names that the server knows; the owner's when absent. */
  readonly roles?: readonly string[];
  /** One hour when absent. */
  readonly lifetimeSeconds?: number;
}

export interface DevIssuer {
  /** The public keys as JSON text, for the server's setting. */
  readonly jwks: string;
  sign(request: TokenRequest): Promise<string>;
}

/**
 * Signs development tokens with an RSA key kept in a file (a private JWK, mode 0600), which is made when it is absent. Refuses
 * to work inside Azure: there tokens come from Entra ID alone (S5.5). Throws on a file that others can read or that is no key.
 */
export async function loadDevIssuer(
  path: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<DevIssuer> {
  if (env['WEBSITE_INSTANCE_ID'] !== undefined)
    throw new Error('The development token issuer does not run in Azure (WEBSITE_INSTANCE_ID is set).');
  const key = (await readKey(path)) ?? (await makeKey(path));
  const signingKey = await importJWK(key, 'RS256');
  const { kty, kid, n, e } = key;
  return {
    jwks: JSON.stringify({ keys: [{ kty, kid, n, e }] }),
    sign: ({
      audience,
      tenantId = TENANT,
      objectId = DEVELOPER,
      roles = ['Batchpoint.Owner'],
      lifetimeSeconds = 3600,
    }: TokenRequest) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ tid: tenantId, oid: objectId, roles: [...roles] })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
        .setIssuer(ISSUER)
        .setSubject(objectId)
        .setAudience(audience)
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + lifetimeSeconds)
        .sign(signingKey);
    },
  };
}

async function readKey(path: string): Promise<RsaKey | undefined> {
  try {
    const [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new Error(`${path} can be read by others; run: chmod 600 ${path}`);
    return RsaKey.parse(JSON.parse(text));
  } catch (error) {
    if (isFileFault(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Makes the key beside its place and links it there: the file appears whole or not at all, and the first of two stands. */
async function makeKey(path: string): Promise<RsaKey> {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = (await calculateJwkThumbprint(jwk)).slice(0, KEY_ID_LENGTH);
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, JSON.stringify({ ...jwk, kid }), { mode: 0o600, flag: 'wx' });
    await link(draft, path);
  } catch (error) {
    if (!isFileFault(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const key = await readKey(path);
  if (!key) throw new Error(`${path} vanished while it was made`);
  return key;
}

const isFileFault = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

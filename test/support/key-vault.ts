import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, randomUUID, type KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { startHttps } from './http-server.ts';

/** The part of Azure Key Vault's REST interface that wraps keys, over HTTPS. */
export interface Vault {
  /** Id of a key, made when it is first named, without its version. */
  keyId(name: string): string;
  /** Makes a new version of a key. */
  rotate(name: string): void;
  /** What was asked with a token, by operation and key. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

interface Version {
  readonly version: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const Operation = z.object({ alg: z.literal('RSA-OAEP-256'), value: z.base64url() });

const newVersion = (): Version => ({
  version: randomUUID().replaceAll('-', ''),
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }),
});

/** Takes `token` alone, after the challenge that tells clients where to get one. */
export async function startVault(token: string, tls: { cert: string; key: string }): Promise<Vault> {
  const keys = new Map<string, Version[]>();
  const asked: string[] = [];
  const versionsOf = (name: string): Version[] => {
    const versions = keys.get(name) ?? [newVersion()];
    keys.set(name, versions);
    return versions;
  };

  async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 401, body: {} };
    const [, , name = '', version = '', operation] = new URL(request.url ?? '', server.url).pathname.split('/');
    const found = versionsOf(name).findLast((one) => version === '' || one.version === version);
    if (!found) return { status: 404, body: { error: { code: 'KeyNotFound' } } };
    asked.push(`${operation ?? 'get'} ${name}`);
    const kid = `${server.url}/keys/${name}/${found.version}`;
    if (operation === undefined) {
      const key = { ...found.publicKey.export({ format: 'jwk' }), kid, key_ops: ['wrapKey', 'unwrapKey'] };
      return { status: 200, body: { key, attributes: { enabled: true } } };
    }
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
    const value = Buffer.from(Operation.parse(JSON.parse(text)).value, 'base64url');
    const options = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    try {
      const result =
        operation === 'wrapkey'
          ? publicEncrypt({ key: found.publicKey, ...options }, value)
          : privateDecrypt({ key: found.privateKey, ...options }, value);
      return { status: 200, body: { kid, value: result.toString('base64url') } };
    } catch {
      return { status: 400, body: { error: { code: 'BadParameter', message: 'The parameter is incorrect.' } } };
    }
  }

  const server = await startHttps((request, response) => {
    void answer(request)
      .catch((error: unknown) => ({ status: 500, body: { error: { code: String(error) } } }))
      .then(({ status, body }) => {
        const challenge = 'Bearer authorization="https://login.invalid/tenant", resource="https://vault.invalid"';
        response
          .writeHead(status, {
            'content-type': 'application/json',
            ...(status === 401 && { 'www-authenticate': challenge }),
          })
          .end(JSON.stringify(body));
      });
  }, tls);

  return {
    keyId(name) {
      versionsOf(name);
      return `${server.url}/keys/${name}`;
    },
    rotate: (name) => void versionsOf(name).push(newVersion()),
    asked,
    stop: server.stop,
  };
}

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { startHttp } from './http-server.ts';

/** Who signs in, as the claims of a token say it. */
export interface Caller {
  readonly oid: string;
  readonly roles?: readonly string[];
  /** A person, by a client that may do this for that person; an app by itself without. */
  readonly scp?: string;
}

export interface Asked {
  readonly version?: '1.0' | '2.0';
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** A tenant of Entra ID on this machine: keys by URL, and tokens as its endpoints and a managed identity's give them. */
export interface Tenant {
  readonly authority: string;
  readonly tenantId: string;
  readonly secret: string;
  /** How often its keys were fetched. */
  fetches(): number;
  /** What the keys' address answers, 200 by itself; 302 leads to the keys. */
  answer(status: number): void;
  /** Signs with a new key from now on; the keys' address shows it from the next `publish`. */
  rotate(): Promise<void>;
  publish(): void;
  token(audience: string, caller: Caller, asked?: Asked): Promise<string>;
  stop(): Promise<void>;
}

const HOUR = 3600;

async function makeKey() {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { kid: randomUUID(), privateKey, jwk: await exportJWK(publicKey) };
}

/** A tenant with one app that has a secret and the roles that are given; the same caller is the managed identity. */
export async function startTenant(app: Caller): Promise<Tenant> {
  const tenantId = randomUUID();
  const secret = randomUUID();
  let key = await makeKey();
  let published: JWK[] = [{ ...key.jwk, kid: key.kid, use: 'sig' }];
  let fetches = 0;
  let status = 200;

  const token = (audience: string, { oid, roles, scp }: Caller, { version = '2.0', claims, header }: Asked = {}) => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({
      iss: version === '1.0' ? `https://sts.windows.net/${tenantId}/` : `${server.url}/${tenantId}/v2.0`,
      ...{ aud: audience, iat: now, nbf: now, exp: now + HOUR, tid: tenantId, oid, sub: oid, ver: version },
      ...{ [version === '1.0' ? 'appid' : 'azp']: randomUUID() },
      ...(roles && { roles }),
      ...(scp === undefined ? { idtyp: 'app' } : { scp, name: 'A Person' }),
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid, ...header })
      .sign(key.privateKey);
  };

  /** The audience of a request that may have a token; undefined for any other. */
  const audienceFor = async (request: IncomingMessage): Promise<string | undefined> => {
    const url = new URL(request.url ?? '', 'http://tenant');
    if (url.pathname === '/msi/token')
      return request.headers['x-identity-header'] === secret
        ? (url.searchParams.get('resource') ?? undefined)
        : undefined;
    const form = new URLSearchParams(await textOf(request));
    if (form.get('grant_type') !== 'client_credentials' || form.get('client_secret') !== secret) return undefined;
    if (url.pathname === `/${tenantId}/oauth2/token`) return form.get('resource') ?? undefined;
    if (url.pathname === `/${tenantId}/oauth2/v2.0/token`) return form.get('scope')?.replace(/\/\.default$/, '');
    return undefined;
  };

  const server = await startHttp((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/moved') {
      response.end(JSON.stringify({ keys: published }));
      return;
    }
    if (request.url === `/${tenantId}/discovery/v2.0/keys`) {
      fetches++;
      response.writeHead(status, status === 302 ? { location: '/moved' } : {});
      response.end(JSON.stringify({ keys: published }));
      return;
    }
    void audienceFor(request).then(async (audience) => {
      if (audience === undefined) response.writeHead(401).end('{"error":"invalid_client"}');
      else
        response.end(
          JSON.stringify({ token_type: 'Bearer', access_token: await token(audience, app, { version: '1.0' }) }),
        );
    });
  });

  return {
    authority: server.url,
    tenantId,
    secret,
    fetches: () => fetches,
    answer: (next) => (status = next),
    rotate: async () => {
      key = await makeKey();
    },
    publish: () => {
      published = [...published, { ...key.jwk, kid: key.kid, use: 'sig' }];
    },
    token,
    stop: server.stop,
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
}

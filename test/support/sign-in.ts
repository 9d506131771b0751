import type { IncomingMessage } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import { startHttps } from './http-server.ts';
import type { Tenant } from './tenant.ts';

/** The tenant's token endpoint as the on-behalf-of flow uses it, over HTTPS as Azure's libraries want it. */
export interface SignIn {
  readonly url: string;
  /** The forms of all requests for tokens since the start. */
  readonly asked: readonly Readonly<Record<string, string>>[];
  /** Answers this error to the next requests; undefined: tokens again. */
  refuse(error: { readonly status: number; readonly body: string } | undefined): void;
  /** Tokens are for this instead of what is asked for. */
  mistake(audience: string | undefined): void;
  stop(): Promise<void>;
}

/** What Azurite takes tokens for, wherever it listens. */
const ACCOUNT = 'https://devstoreaccount1.blob.core.windows.net';

const OBO = {
  grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  requested_token_use: 'on_behalf_of',
};

/** Tokens are given for persons' tokens that the tenant has signed for `audience`, to the app that knows its secret. */
export async function startSignIn(
  tenant: Tenant,
  app: {
    readonly clientId: string;
    readonly audience: string;
    /** Azurite's address. */
    readonly storage: string;
  },
  tls: { cert: string; key: string },
): Promise<SignIn> {
  const keys = createRemoteJWKSet(new URL(`${tenant.authority}/${tenant.tenantId}/discovery/v2.0/keys`));
  const asked: Record<string, string>[] = [];
  let refusal: { readonly status: number; readonly body: string } | undefined;
  let mistaken: string | undefined;

  async function exchanged(form: Readonly<Record<string, string>>): Promise<string | undefined> {
    const isAsked = { ...OBO, client_id: app.clientId, client_secret: tenant.secret };
    if (Object.entries(isAsked).some(([name, value]) => form[name] !== value)) return undefined;
    const { payload } = await jwtVerify(form['assertion'] ?? '', keys, { audience: app.audience });
    const { oid, scp } = z.object({ oid: z.string(), scp: z.string() }).parse(payload);
    const scope = (form['scope'] ?? '').split(' ').find((one) => one.startsWith('https:')) ?? '';
    const audience = mistaken ?? (scope === `${app.storage}/.default` ? ACCOUNT : scope);
    return tenant.token(audience, { oid, scp }, { version: '1.0' });
  }

  async function answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    if (request.method === 'GET')
      return {
        status: 200,
        body: JSON.stringify({
          issuer: `${server.url}/${tenant.tenantId}/v2.0`,
          authorization_endpoint: `${server.url}/${tenant.tenantId}/oauth2/v2.0/authorize`,
          token_endpoint: `${server.url}/${tenant.tenantId}/oauth2/v2.0/token`,
          jwks_uri: `${server.url}/${tenant.tenantId}/discovery/v2.0/keys`,
        }),
      };
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
    const form = Object.fromEntries(new URLSearchParams(text));
    asked.push(form);
    const token = refusal ? undefined : await exchanged(form);
    if (token !== undefined)
      return { status: 200, body: JSON.stringify({ token_type: 'Bearer', expires_in: 3599, access_token: token }) };
    const body = { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided.' };
    return refusal ?? { status: 401, body: JSON.stringify(body) };
  }

  const server = await startHttps((request, response) => {
    void answer(request)
      .catch((error: unknown) => ({ status: 500, body: String(error) }))
      .then(({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(body));
  }, tls);

  return {
    url: server.url,
    asked,
    refuse: (error) => (refusal = error),
    mistake: (audience) => (mistaken = audience),
    stop: server.stop,
  };
}

import { startHttp } from './http-server.ts';

/** What somebody asked of the identity endpoint, as App Service's documentation names it. */
export interface AskedToken {
  readonly resource: string | null;
  readonly clientId: string | null;
  readonly header: string | undefined;
}

export interface IdentityEndpoint {
  /** The variables that Azure sets in an app that has a managed identity. */
  readonly environment: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string };
  readonly asked: readonly AskedToken[];
  stop(): Promise<void>;
}

const OBJECT_ID = '00000000-0000-4000-8000-0000000000aa';
const TENANT = '00000000-0000-4000-8000-0000000000bb';
const LIFETIME_SECONDS = 3600;

/** Plays App Service's endpoint for tokens of managed identities. Its tokens are for storage; Azurite checks all but the signature. */
export async function startIdentityEndpoint(): Promise<IdentityEndpoint> {
  const asked: AskedToken[] = [];
  const server = await startHttp((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x');
    const header = request.headers['x-identity-header'];
    asked.push({
      resource: searchParams.get('resource'),
      clientId: searchParams.get('client_id'),
      header: typeof header === 'string' ? header : undefined,
    });
    const now = Math.floor(Date.now() / 1000);
    const token = {
      access_token: storageToken(now),
      expires_on: `${now + LIFETIME_SECONDS}`,
      resource: searchParams.get('resource'),
      token_type: 'Bearer',
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token));
  });
  return {
    environment: { IDENTITY_ENDPOINT: `${server.url}/msi/token`, IDENTITY_HEADER: 'secret-of-the-platform' },
    asked,
    stop: () => server.stop(),
  };
}

function storageToken(now: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    aud: 'https://storage.azure.com',
    iss: `https://sts.windows.net/${TENANT}/`,
    iat: now,
    nbf: now - 60,
    exp: now + LIFETIME_SECONDS,
    oid: OBJECT_ID,
    tid: TENANT,
  };
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${part({})}`;
}

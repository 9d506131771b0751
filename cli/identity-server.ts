import { randomUUID, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { z } from 'zod';
import type { DevIssuer } from './dev-issuer.ts';

export interface IdentityServer {
  /** For the environment variable IDENTITY_ENDPOINT. */
  readonly endpoint: string;
  /** For the environment variable IDENTITY_HEADER: whoever knows it gets tokens. */
  readonly header: string;
  stop(): Promise<void>;
}

const LIFETIME_SECONDS = 3600;
const SCORING = 'https://ml.azure.com';
const MANAGEMENT = 'https://management.azure.com';
/** The app's own, which the server knows too (shared/auth/dev-tokens.ts). */
const OWN = 'api://batchpoint';

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/**
 * Gives development tokens as App Service's managed identity does (api-version 2019-08-01), on the loopback address, so that
 * `DefaultAzureCredential()` works unchanged. A token for the app's own address counts as one for the management plane, because
 * azure-ai-ml asks for its resource manager's address.
 */
export async function startIdentityServer(issuer: DevIssuer, appUrl: string): Promise<IdentityServer> {
  const header = randomUUID();
  const audiences = new Map([OWN, SCORING, MANAGEMENT].map((audience) => [audience, audience])).set(appUrl, MANAGEMENT);
  const server = createServer((request, response) => {
    if (!isSame(request.headers['x-identity-header'], header)) {
      refuse(response, 401, 'X-IDENTITY-HEADER must be the value of IDENTITY_HEADER.');
      return;
    }
    const resource = new URL(request.url ?? '/', appUrl).searchParams.get('resource') ?? '';
    const audience = audiences.get(withoutSlash(resource));
    if (request.method !== 'GET' || audience === undefined) {
      refuse(response, 400, `There is no token for '${resource}': ask for ${[...audiences.keys()].join(', ')}.`);
      return;
    }
    issuer.sign({ audience, lifetimeSeconds: LIFETIME_SECONDS }).then(
      (token) => send(response, 200, tokenAnswer(token, resource)),
      (error: unknown) => refuse(response, 500, String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    endpoint: `http://127.0.0.1:${port}/msi/token`,
    header,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function isSame(given: string | string[] | undefined, wanted: string): boolean {
  const [one, other] = [Buffer.from(String(given)), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function tokenAnswer(token: string, resource: string): Readonly<Record<string, string>> {
  const expires = Math.floor(Date.now() / 1000) + LIFETIME_SECONDS;
  return { access_token: token, expires_on: String(expires), resource, token_type: 'Bearer' };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const refuse = (response: ServerResponse, status: number, message: string): void =>
  send(response, status, { statusCode: status, message });

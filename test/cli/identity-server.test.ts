import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { loadDevIssuer } from '../../cli/dev-issuer.ts';
import { startIdentityServer, type IdentityServer } from '../../cli/identity-server.ts';

const APP = 'https://localhost:7071';

let folder: string;
let server: IdentityServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-identity-'));
  server = await startIdentityServer(await loadDevIssuer(join(folder, 'key.json')), APP);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const Token = z.strictObject({
  access_token: z.string(),
  expires_on: z.string().regex(/^\d+$/),
  resource: z.string(),
  token_type: z.literal('Bearer'),
});

const ask = (resource: string, init: RequestInit = { headers: { 'X-IDENTITY-HEADER': server.header } }) =>
  fetch(`${server.endpoint}?api-version=2019-08-01&resource=${encodeURIComponent(resource)}`, init);

it.each([
  ['api://batchpoint', 'api://batchpoint'],
  ['https://ml.azure.com', 'https://ml.azure.com'],
  ['https://ml.azure.com/', 'https://ml.azure.com'],
  ['https://management.azure.com', 'https://management.azure.com'],
  [APP, 'https://management.azure.com'],
])('a token for %s has the audience %s and an end ahead', async (resource, audience) => {
  const response = await ask(resource);
  expect(response.status).toBe(200);
  const token = Token.parse(await response.json());
  const claims = decodeJwt(token.access_token);
  expect([claims.aud, token.resource]).toEqual([audience, resource]);
  expect(Math.abs(Number(token.expires_on) - (claims.exp ?? 0))).toBeLessThan(5);
  expect(Number(token.expires_on)).toBeGreaterThan(Date.now() / 1000);
});

it.each(['https://vault.azure.net', '', 'https://localhost:7072'])('there is none for "%s"', async (resource) => {
  expect((await ask(resource)).status).toBe(400);
});

it.each([
  ['no', {}],
  ['another', { 'X-IDENTITY-HEADER': 'guess' }],
])('%s header gets 401', async (_name, headers) => {
  const response = await ask('https://ml.azure.com', { headers });
  expect(response.status).toBe(401);
  expect(await response.text()).not.toContain(server.header);
});

it('anything but GET gets 400', async () => {
  const init = { method: 'POST', headers: { 'X-IDENTITY-HEADER': server.header } };
  expect((await ask('https://ml.azure.com', init)).status).toBe(400);
});

import 'reflect-metadata';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';
import { createHash, randomUUID, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ensureCertificate } from '../../cli/certificate.ts';
import { onBehalfOf, type ClientProof } from '../../shared/auth/on-behalf-of.ts';
import { startHttps } from '../support/http-server.ts';
import { startIdentityEndpoint, type IdentityEndpoint } from '../support/identity-endpoint.ts';

const TENANT = randomUUID();
const CLIENT = randomUUID();
const SCOPE = 'https://account.blob.core.windows.net/.default';
const ASSERTED = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };

let folder: string;
let certificate: string;
let pem: string;
let platform: IdentityEndpoint;
let server: Awaited<ReturnType<typeof startHttps>>;
const forms: Record<string, string>[] = [];
const trusted = getCACertificates('default');

// A token endpoint that keeps what it was asked; what it gives is nobody's business here.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-obo-'));
  const files = await ensureCertificate(folder);
  setDefaultCACertificates([...trusted, await readFile(files.ca, 'utf8')]);
  const key = await readFile(files.key, 'utf8');
  const own = await clientCertificate();
  certificate = own.certificate;
  pem = join(folder, 'client.pem');
  await writeFile(pem, `${own.certificate}\n${own.key}`);
  platform = await startIdentityEndpoint();
  for (const [name, value] of Object.entries(platform.environment)) vi.stubEnv(name, value);
  server = await startHttps(
    (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        const at = `${server.url}/${TENANT}`;
        const metadata = {
          issuer: `${at}/v2.0`,
          authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
          token_endpoint: `${at}/oauth2/v2.0/token`,
          jwks_uri: `${at}/discovery/v2.0/keys`,
        };
        const isToken = request.method === 'POST';
        if (isToken) forms.push(Object.fromEntries(new URLSearchParams(text)));
        const answer = isToken ? { token_type: 'Bearer', expires_in: 3599, access_token: 'given' } : metadata;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    },
    { cert: await readFile(files.cert, 'utf8'), key },
  );
});
afterAll(async () => {
  vi.unstubAllEnvs();
  setDefaultCACertificates(trusted);
  await server.stop();
  await platform.stop();
  await rm(folder, { recursive: true, force: true });
});

/** As Entra ID takes them: of an RSA key. PEM texts. */
async function clientCertificate(): Promise<{ certificate: string; key: string }> {
  const algorithm = {
    ...{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    ...{ modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=batchpoint',
    notBefore: new Date(),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: algorithm,
    keys,
  });
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { certificate: made.toString('pem'), key };
}

/** The form of the one request that an exchange makes. */
async function exchanged(proof: ClientProof): Promise<Record<string, string>> {
  const before = forms.length;
  const credential = onBehalfOf({ authority: server.url, tenantId: TENANT, clientId: CLIENT, proof })(
    'the-persons-token',
  );
  expect((await credential.getToken(SCOPE))?.token).toBe('given');
  const [form = {}] = forms.slice(before);
  expect(form).toMatchObject({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    requested_token_use: 'on_behalf_of',
    client_id: CLIENT,
    assertion: 'the-persons-token',
    scope: expect.stringContaining(SCOPE) as string,
  });
  return form;
}

it('the app proves itself by its secret', async () => {
  expect(await exchanged({ secret: 'hush' })).toMatchObject({ client_secret: 'hush' });
});

it('the app proves itself by its certificate: an assertion that its key has signed', async () => {
  const form = await exchanged({ certificatePath: pem });
  expect(form).toMatchObject(ASSERTED);
  expect(form).not.toHaveProperty('client_secret');
  const own = new X509Certificate(certificate);
  const assertion = form['client_assertion'] ?? '';
  const { payload } = await jwtVerify(assertion, own.publicKey, {
    audience: `${server.url}/${TENANT}/oauth2/v2.0/token`,
    // The library rounds to whole seconds: half of its assertions begin up to half a second from now.
    clockTolerance: 1,
  });
  expect(payload).toMatchObject({ iss: CLIENT, sub: CLIENT });
  expect(Object.values(decodeProtectedHeader(assertion))).toContain(
    createHash('sha256').update(own.raw).digest('base64url'),
  );
});

it('the app proves itself by a managed identity that its registration trusts', async () => {
  const identity = randomUUID();
  const form = await exchanged({ managedIdentity: identity });
  expect(form).toMatchObject(ASSERTED);
  expect(platform.asked).toEqual([
    expect.objectContaining({ resource: 'api://AzureADTokenExchange', clientId: identity }),
  ]);
  // The platform's token, as it came.
  expect((form['client_assertion'] ?? '').split('.')).toHaveLength(3);
  expect(form).not.toHaveProperty('client_secret');
});

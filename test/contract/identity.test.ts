import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { ContainerClient, RestError } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startAzurite, type Azurite } from '../../cli/azurite.ts';
import { ensureCertificate } from '../../cli/certificate.ts';
import { storageOf } from '../../shared/open-storage.ts';
import { readSettings, type Settings } from '../../shared/settings.ts';
import { appIdentity } from '../../shared/storage/app-identity.ts';
import { gather } from '../support/gather.ts';
import { startIdentityEndpoint, type IdentityEndpoint } from '../support/identity-endpoint.ts';

const CLIENT_ID = '00000000-0000-4000-8000-0000000000cc';
const HOUR = 3_600_000;

let folder: string;
let azurite: Azurite;
let platform: IdentityEndpoint;
let settings: Settings;
const trusted = getCACertificates('default');

// As in Azure: no key in any setting, storage over HTTPS, tokens from the platform's own endpoint.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batchpoint-identity-'));
  const certificate = await ensureCertificate(folder);
  setDefaultCACertificates([...trusted, await readFile(certificate.ca, 'utf8')]);
  azurite = await startAzurite({ ports: [0, 0, 0], certificate, tokens: true });
  platform = await startIdentityEndpoint();
  for (const [name, value] of Object.entries(platform.environment)) vi.stubEnv(name, value);
  const at = (port: number): string => `https://127.0.0.1:${port}/devstoreaccount1`;
  settings = readSettings({
    BATCHPOINT_STATE__blobServiceUri: at(azurite.blobPort),
    BATCHPOINT_STATE__queueServiceUri: at(azurite.queuePort),
    BATCHPOINT_STATE__tableServiceUri: at(azurite.tablePort),
    BATCHPOINT_DATASTORES: JSON.stringify([{ name: 'store', connection: at(azurite.blobPort), container: 'ours' }]),
    BATCHPOINT_WORKSPACE: '{"subscriptionId":"s","resourceGroup":"r","workspace":"w","location":"l"}',
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  setDefaultCACertificates(trusted);
  await platform.stop();
  await azurite.stop();
  await rm(folder, { recursive: true });
});

const managedIdentity = () => appIdentity({ inAzure: true, clientId: CLIENT_ID });

describe('with a managed identity and no key', () => {
  it('the state keeps blobs, rows and messages, by tokens for this account where the service has such', async () => {
    const { blobs, table, queue } = storageOf(settings, managedIdentity())().state;
    await blobs.ensureContainer('state');
    const at = { container: 'state', name: 'a.txt' };
    await blobs.stageBlock(at, Buffer.from('block-1').toString('base64'), Buffer.from('text'));
    await blobs.commitBlocks(at, [Buffer.from('block-1').toString('base64')]);
    expect((await gather(blobs.list('state'))).map(({ name, length }) => [name, length])).toEqual([['a.txt', 4]]);
    const key = { partition: 'p', row: 'r' };
    const { etag } = await table.insert(key, { number: 7 });
    expect(await table.get(key)).toEqual({ ...key, etag, values: { number: 7 } });
    await queue('things').send('message');

    const resources = [azurite.blobPort, azurite.queuePort].map((port) => `https://127.0.0.1:${port}`);
    expect(new Set(platform.asked.map(({ resource }) => resource))).toEqual(
      new Set([...resources, 'https://storage.azure.com']),
    );
    expect(new Set(platform.asked.map(({ clientId, header }) => `${clientId} ${header}`))).toEqual(
      new Set([`${CLIENT_ID} ${platform.environment.IDENTITY_HEADER}`]),
    );
  });

  it('a datastore gives out signatures of the identity, for its own container alone', async () => {
    const { configured } = storageOf(settings, managedIdentity())().datastores;
    const [store] = configured;
    await store?.blobs.ensureContainer('ours');
    await store?.blobs.ensureContainer('theirs');
    expect(store?.access).toMatchObject({ credentialsType: 'Sas' });
    expect(store?.access).not.toHaveProperty('publicKey');

    const signature = (await store?.access?.sign(Date.now() + HOUR)) ?? '';
    expect(new URLSearchParams(signature).get('sktid')).toBe('00000000-0000-4000-8000-0000000000bb');
    const as = (container: string) => new ContainerClient(`${store?.address.endpoint}/${container}?${signature}`);
    await as('ours').getBlockBlobClient('LocalUpload/1/a.txt').upload('text', 4);
    expect((await as('ours').getBlobClient('LocalUpload/1/a.txt').downloadToBuffer()).toString()).toBe('text');
    expect(await codeOf(as('ours').getBlobClient('LocalUpload/1/a.txt').delete())).toBe(
      'AuthorizationPermissionMismatch',
    );
    expect(await codeOf(as('theirs').getBlockBlobClient('a.txt').upload('text', 4))).toBe('AuthorizationFailure');
  });

  it('signatures share a key of the identity as long as it outlives them', async () => {
    const [store] = storageOf(settings, managedIdentity())().datastores.configured;
    const keyEnd = async (hours: number): Promise<number> => {
      const signature = await store?.access?.sign(Date.now() + hours * HOUR);
      return (Date.parse(new URLSearchParams(signature).get('ske') ?? '') - Date.now()) / HOUR;
    };
    const ends = [await keyEnd(1), await keyEnd(5), await keyEnd(1)];
    expect(ends.map(Math.round)).toEqual([2, 5, 5]);
  });
});

it('storage refuses a token that is none, and says so as storage does', async () => {
  const impostor = { getToken: async () => ({ token: 'no.token.atall', expiresOnTimestamp: Date.now() + HOUR }) };
  const { blobs } = storageOf(settings, impostor)().state;
  await expect(blobs.ensureContainer('state')).rejects.toMatchObject({ name: 'StorageFault', status: 403 });
});

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof RestError ? error.code : error),
  );

import { ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accountOf } from '../../shared/storage/account.ts';
import { azureBlobs } from '../../shared/storage/azure-blobs.ts';
import { accountAccess } from '../../shared/storage/container-access.ts';
import { startAzurite, type Azurite } from '../support/azurite.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

/** The container as somebody sees it who holds this signature. */
function signedClient(container: string, signature: string): ContainerClient {
  return new ContainerClient(`${accountOf(azurite.connectionString).endpoint}/${container}?${signature}`);
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );

it('signs for reading, writing and listing one container, until it expires', async () => {
  for (const container of ['ours', 'theirs']) await azureBlobs(azurite).ensureContainer(container);
  const access = accountAccess(azurite)?.('ours');
  const signature = (await access?.sign(Date.now() + 60_000)) ?? '';
  const ours = signedClient('ours', signature);
  await ours.getBlockBlobClient('LocalUpload/1/a.txt').upload('text', 4);
  await ours.getBlockBlobClient('LocalUpload/1/a.txt').setMetadata({ upload_status: 'completed' });
  expect((await ours.getBlobClient('LocalUpload/1/a.txt').downloadToBuffer()).toString()).toBe('text');
  const names: string[] = [];
  for await (const { name } of ours.listBlobsFlat()) names.push(name);
  expect(names).toEqual(['LocalUpload/1/a.txt']);

  expect(await codeOf(ours.getBlobClient('LocalUpload/1/a.txt').delete())).toBe('AuthorizationPermissionMismatch');
  const theirs = signedClient('theirs', signature).getBlockBlobClient('a.txt');
  expect(await codeOf(theirs.upload('text', 4))).toBe('AuthorizationFailure');
  const late = signedClient('ours', (await access?.sign(Date.now() - 1000)) ?? '').getBlockBlobClient('b.txt');
  expect(await codeOf(late.upload('text', 4))).toBe('AuthorizationFailure');
});

it("gives out no key but Azurite's, and nothing where it cannot sign", async () => {
  const accessOf = (connectionString: string) => accountAccess({ connectionString })?.('c');
  const account = 'DefaultEndpointsProtocol=https;AccountName=acct;EndpointSuffix=core.windows.net';
  const real = accessOf(`${account};AccountKey=${Buffer.from('secret').toString('base64')}`);
  expect(real).toMatchObject({ credentialsType: 'AccountKey' });
  expect(real).not.toHaveProperty('publicKey');
  expect(await real?.sign(0)).toContain('sr=c');
  expect(accessOf(azurite.connectionString)).toHaveProperty('publicKey');
  expect(accessOf('UseDevelopmentStorage=true')).toHaveProperty('publicKey');
  expect(accessOf('BlobEndpoint=https://acct.blob.core.windows.net;SharedAccessSignature=sv=1&sig=x')).toBeUndefined();
  expect(accountAccess({ serviceUri: 'https://acct.blob.core.windows.net?sv=1&sig=x' })).toBeUndefined();
});

import { beforeEach, describe, expect, it } from 'vitest';
import { memoryBlobs } from '../../../shared/storage/memory-blobs.ts';
import { BASE, CALLER, SYSTEM_DATA, WORKSPACE, errorOf, request, worldMaker, type World } from './api-world.ts';

const TYPE = 'Microsoft.MachineLearningServices/workspaces';

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  world = await freshWorld();
});

const get = async (path: string) => (await world.call('GET', `${WORKSPACE}/${path}`)).body;

describe('the workspace', () => {
  it('says where the other planes are', async () => {
    expect((await world.call('GET', WORKSPACE)).body).toEqual({
      id: WORKSPACE,
      name: 'ws-1',
      type: TYPE,
      location: 'westeurope',
      tags: {},
      kind: 'Default',
      sku: { name: 'Basic', tier: 'Basic' },
      identity: { type: 'None' },
      properties: {
        friendlyName: 'ws-1',
        description: '',
        provisioningState: 'Succeeded',
        workspaceId: 'ws-guid',
        tenantId: 'tenant-1',
        storageAccount: '/subscriptions/sub-1/resourceGroups/rg-1/providers/Microsoft.Storage/storageAccounts/acct',
        discoveryUrl: `${BASE}/discovery`,
        mlFlowTrackingUri: `azureml://batch.example/mlflow/v1.0${WORKSPACE}`,
        publicNetworkAccess: 'Enabled',
        v1LegacyMode: false,
      },
      systemData: null,
    });
  });

  it('is found without a token, by GET alone', async () => {
    const found = await world.api.fetch(request('GET', '/discovery'));
    expect([found.status, await found.json()]).toEqual([200, { api: BASE, history: BASE }]);
    const status = async (method: string) => (await world.api.fetch(request(method, '/discovery'))).status;
    expect([await status('HEAD'), await status('POST'), await status('DELETE')]).toEqual([404, 401, 401]);
  });

  it.each(['ws-2', 'WS-1'])('answers to its name in any case, and %s is ours or not', async (name) => {
    const answer = await world.call('GET', WORKSPACE.replace('ws-1', name));
    expect(answer.status).toBe(name === 'WS-1' ? 200 : 404);
  });
});

/** The app's datastores: one whose key is public, one that signs, one that can do neither. */
const signing = (container: string) => ({ sign: async (until: number) => `sig=for-${container}-until-${until}` });
const stores = () => {
  const at = (name: string, account: string, endpoint: string) => ({
    address: { name, account, container: `c-${name}`, endpoint },
    blobs: memoryBlobs(),
  });
  return [
    {
      ...at('workspaceblobstore', 'devstoreaccount1', 'http://127.0.0.1:10000/devstoreaccount1'),
      access: { ...signing('c-workspaceblobstore'), credentialsType: 'AccountKey' as const, publicKey: 'published' },
    },
    {
      ...at('More_2', 'acct', 'https://acct.blob.core.windows.net'),
      access: { ...signing('c-More_2'), credentialsType: 'Sas' as const },
    },
    at('closed', 'other', 'https://other.blob.core.windows.net'),
  ];
};

describe('datastores', () => {
  beforeEach(async () => {
    world = await freshWorld({ stores: stores() });
  });

  const datastore = (name: string, more: object) => ({
    id: `${WORKSPACE}/datastores/${name}`,
    name,
    type: `${TYPE}/datastores`,
    properties: {
      description: null,
      tags: {},
      properties: {},
      isDefault: false,
      datastoreType: 'AzureBlob',
      containerName: `c-${name}`,
      endpoint: 'core.windows.net',
      protocol: 'https',
      serviceDataAccessAuthIdentity: 'None',
      subscriptionId: 'sub-1',
      resourceGroup: 'rg-1',
      ...more,
    },
    systemData: null,
  });
  const DEFAULT = datastore('workspaceblobstore', {
    isDefault: true,
    accountName: 'devstoreaccount1',
    endpoint: '127.0.0.1:10000',
    protocol: 'http',
    credentials: { credentialsType: 'AccountKey' },
  });
  const MORE = datastore('More_2', { accountName: 'acct', credentials: { credentialsType: 'Sas' } });
  const CLOSED = datastore('closed', { accountName: 'other', credentials: { credentialsType: 'None' } });

  it('are those of the settings, the first the default', async () => {
    expect(await get('datastores')).toEqual({ value: [DEFAULT, MORE, CLOSED], nextLink: null });
    expect(await get('datastores?isDefault=true&count=30')).toEqual({ value: [DEFAULT], nextLink: null });
    expect(await get('datastores/MORE_2')).toEqual(MORE);
  });

  it('give the published key, a signature for an hour, or nothing, and the log says who got it but not what', async () => {
    const secrets = (name: string, body?: object) =>
      world.call('POST', `${WORKSPACE}/datastores/${name}/listSecrets`, body && { body });
    const until = world.clock.time + 3_600_000;
    const sas = (name: string) => ({ secretsType: 'Sas', sasToken: `sig=for-c-${name}-until-${until}` });
    const open = await secrets('workspaceblobstore');
    const expiring = await secrets('workspaceblobstore', { expirableSecret: true, expireAfterHours: 1 });
    const signed = await secrets('more_2');
    const closed = await secrets('closed');
    expect(open.body).toEqual({ secretsType: 'AccountKey', key: 'published' });
    expect([expiring.body, signed.body]).toEqual([sas('workspaceblobstore'), sas('More_2')]);
    expect(signed.headers.get('cache-control')).toBe('no-store');
    expect(errorOf(closed)).toMatchObject({ status: 409, code: 'CredentialsNotAvailable' });
    expect(world.lines.filter(({ message }) => message.startsWith('access')).map(({ fields }) => fields)).toEqual(
      ['workspaceblobstore', 'workspaceblobstore', 'More_2'].map((name) => ({
        action: 'datastores/listSecrets',
        datastore: name,
        caller: CALLER,
      })),
    );
    expect(JSON.stringify(world.lines)).not.toMatch(/sig=|published/);
  });

  const put = (name: string, properties: object) =>
    world.call('PUT', `${WORKSPACE}/datastores/${name}?skipValidation=true`, {
      body: { properties: { datastoreType: 'AzureBlob', ...properties } },
    });

  it('are described by a PUT, which keeps no credential', async () => {
    const answer = await put('more_2', {
      accountName: 'acct',
      containerName: 'c-More_2',
      description: 'd',
      tags: { a: '1' },
      credentials: { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key: 'c2VjcmV0' } },
    });
    const noted = {
      ...MORE,
      properties: { ...MORE.properties, description: 'd', tags: { a: '1' } },
      systemData: SYSTEM_DATA,
    };
    expect([answer.status, answer.body]).toEqual([200, noted]);
    expect(await get('datastores/More_2')).toEqual(noted);
    expect(JSON.stringify([await get('datastores'), world.lines])).not.toContain('c2VjcmV0');
  });

  it.each<[string, string, object, string]>([
    [
      'one of an account that they do not name',
      'new',
      { accountName: 'a', containerName: 'con' },
      'properties.accountName',
    ],
    ['a bad name', 'a-b', { accountName: 'a', containerName: 'c' }, 'name'],
    ['another account', 'closed', { accountName: 'a', containerName: 'c-closed' }, 'properties.accountName'],
    ['another container', 'closed', { accountName: 'other', containerName: 'c' }, 'properties.containerName'],
    [
      'another default',
      'closed',
      { accountName: 'other', containerName: 'c-closed', isDefault: true },
      'properties.isDefault',
    ],
  ])('refuse %s', async (what, name, properties, target) => {
    const before = world.writes.length;
    const answer = await put(name, properties);
    expect(errorOf(answer)).toMatchObject({ status: 400, target });
    if (what !== 'a bad name') expect(JSON.stringify(answer.body)).toMatch(/BATCHPOINT_DATASTORE(S|_ACCOUNTS)\b/);
    expect(world.writes.slice(before)).toEqual([]);
  });

  it('stay where the settings name them', async () => {
    const answer = await world.call('DELETE', `${WORKSPACE}/datastores/closed`);
    expect(answer.status).toBe(409);
    expect(JSON.stringify(answer.body)).toContain('BATCHPOINT_DATASTORES');
  });

  it.each(['codes', 'models', 'data', 'environments'])(
    'take the files of %s before they are registered',
    async (kind) => {
      const start = () => world.call('POST', `${WORKSPACE}/${kind}/c/versions/1/startPendingUpload`, { body: {} });
      const [one, two] = [await start(), await start()];
      const { pendingUploadId: id } = one.body as { pendingUploadId: string };
      const blobUri = `http://127.0.0.1:10000/devstoreaccount1/c-workspaceblobstore/LocalUpload/${id}`;
      const sas = `sig=for-c-workspaceblobstore-until-${world.clock.time + 3_600_000}`;
      expect(one.body).toEqual({
        pendingUploadId: id,
        pendingUploadType: 'TemporaryBlobReference',
        blobReferenceForConsumption: {
          blobUri,
          storageAccountArmId: null,
          credential: { credentialType: 'SAS', sasUri: `${blobUri}?${sas}` },
        },
      });
      expect(two.body).not.toMatchObject({ pendingUploadId: id });
    },
  );
});

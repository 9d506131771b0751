import { beforeEach, describe, expect, it } from 'vitest';
import { pipelineSpec } from '../../support/job-specs.ts';
import { deployHeart, errorOf, SYSTEM_DATA, WORKSPACE, worldMaker, type World } from './api-world.ts';
import { endJob } from './runs-world.ts';

/** Datastores that requests make, besides those of the settings (workspace.test.ts). */

const freshWorld = worldMaker();
let world: World;

beforeEach(async () => {
  const data = { value: undefined as World['dataBlobs'] | undefined };
  world = await freshWorld({
    open: (name, { account, container }) =>
      account === 'acct' && data.value
        ? { address: { name, account, container, endpoint: 'https://acct.blob.core.windows.net' }, blobs: data.value }
        : undefined,
  });
  data.value = world.dataBlobs;
  await world.dataBlobs.ensureContainer('further');
});

const SECRET = 'c2VjcmV0';
const CREDENTIALS = { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key: SECRET } };

const put = (name: string, properties: object = {}, headers: Record<string, string> = {}) =>
  world.call('PUT', `${WORKSPACE}/datastores/${name}`, {
    body: {
      properties: {
        datastoreType: 'AzureBlob',
        accountName: 'acct',
        containerName: 'further',
        credentials: CREDENTIALS,
        ...properties,
      },
    },
    headers,
  });
const get = (name: string) => world.call('GET', `${WORKSPACE}/datastores/${name}`);
const remove = (name: string, headers: Record<string, string> = {}) =>
  world.call('DELETE', `${WORKSPACE}/datastores/${name}`, { headers });

const resource = (name: string, more: object = {}) => ({
  id: `${WORKSPACE}/datastores/${name}`,
  name,
  type: 'Microsoft.MachineLearningServices/workspaces/datastores',
  properties: {
    description: null,
    tags: {},
    properties: {},
    isDefault: false,
    datastoreType: 'AzureBlob',
    accountName: 'acct',
    containerName: 'further',
    endpoint: 'core.windows.net',
    protocol: 'https',
    credentials: { credentialsType: 'None' },
    serviceDataAccessAuthIdentity: 'None',
    subscriptionId: 'sub-1',
    resourceGroup: 'rg-1',
    ...more,
  },
  systemData: SYSTEM_DATA,
});

describe('a further container of a known account', () => {
  it('becomes a datastore, and the credential that was sent is nowhere', async () => {
    const made = await put('More', { description: 'd', tags: { a: '1' } });
    const shown = resource('More', { description: 'd', tags: { a: '1' } });
    expect([made.status, made.body]).toEqual([201, shown]);
    expect((await get('more')).body).toEqual(shown);
    const { value } = (await world.call('GET', `${WORKSPACE}/datastores`)).body as { value: { name: string }[] };
    expect(value.map(({ name }) => name)).toEqual(['workspaceblobstore', 'More']);
    const kept = await world.deps.registry.datastores.get('more');
    expect(kept?.value).toMatchObject({ name: 'More', place: { account: 'acct', container: 'further' } });
    expect(JSON.stringify([kept, made, world.lines])).not.toContain(SECRET);
  });

  it('is described again under the name that it has, and stays where it lies', async () => {
    await put('More');
    const again = await put('MORE', { description: 'new' });
    expect([again.status, again.body]).toEqual([200, resource('More', { description: 'new' })]);
    await world.dataBlobs.ensureContainer('other');
    expect(errorOf(await put('more', { containerName: 'other' }))).toEqual({
      status: 400,
      code: 'UserError',
      target: 'properties.containerName',
      message: "Datastore 'more' is container 'further' of account 'acct'; delete it and make another.",
    });
  });

  it('is input and output of jobs, place of data and source of models', async () => {
    await deployHeart(world);
    await put('more');
    const uri = 'azureml://datastores/more/paths';
    const invoke = (input: string) =>
      world.call('POST', '/endpoints/heart-ep/jobs', {
        body: {
          properties: {
            inputData: { in: { jobInputType: 'UriFolder', uri: input } },
            outputData: { out: { jobOutputType: 'UriFile', uri: `${uri}/out/p.csv` } },
          },
        },
      });
    const data = await world.call('PUT', `${WORKSPACE}/data/patients/versions/1`, {
      body: { properties: { dataType: 'uri_folder', dataUri: `${uri}/patients/` } },
    });
    await world.dataBlobs.write({ container: 'further', name: 'm/model.onnx' }, new TextEncoder().encode('onnx'));
    const model = await world.call('PUT', `${WORKSPACE}/models/heart/versions/2`, {
      body: { properties: { modelUri: `${uri}/m` } },
    });
    const jobs = [
      await invoke(`${uri}/in/`),
      await invoke('https://acct.blob.core.windows.net/further/in/'),
      await invoke('azureml:patients:1'),
    ];
    expect([data.status, model.status, ...jobs.map(({ status }) => status)]).toEqual([201, 201, 201, 201, 201]);
  });

  it.each<[string, object, string, string]>([
    [
      'of an account that the settings do not name',
      { accountName: 'foreign' },
      'accountName',
      'BATCHPOINT_DATASTORE_ACCOUNTS',
    ],
    ['with the state', { containerName: 'batchpoint-jobs' }, 'containerName', 'of the app'],
    ["with the host's keys", { containerName: 'azure-webjobs-secrets' }, 'containerName', 'of its host'],
    ["with the app's package", { containerName: 'app-package-1' }, 'containerName', 'of its host'],
    ["with a task hub's messages", { containerName: 'hub-largemessages' }, 'containerName', 'of a task hub'],
    ["of storage's own", { containerName: '$logs' }, 'containerName', 'lower-case letters'],
    ['that is to be the default', { isDefault: true }, 'isDefault', 'BATCHPOINT_DATASTORES'],
    ['of files', { datastoreType: 'AzureFile' }, 'datastoreType', 'AzureBlob'],
  ])('is refused: one %s', async (_, properties, field, text) => {
    const before = world.writes.length;
    const answer = await put('more', properties);
    expect(errorOf(answer)).toMatchObject({ status: 400, target: `properties.${field}` });
    expect(JSON.stringify(answer.body)).toContain(text);
    expect(JSON.stringify([answer.body, world.lines])).not.toContain(SECRET);
    expect(world.writes.slice(before)).toEqual([]);
    expect((await get('more')).status).toBe(404);
  });
});

describe('a datastore is deleted', () => {
  const uri = 'azureml://datastores/more/paths';

  beforeEach(async () => {
    await deployHeart(world);
    await put('More');
  });

  const refusal = async () => {
    const { message, ...rest } = errorOf(await remove('more')) as { message: string };
    expect(rest).toEqual({ status: 409, code: 'Conflict', target: undefined });
    expect((await get('more')).status).toBe(200);
    return message;
  };

  const invoke = async (inputUri: string, outputUri?: string): Promise<string> => {
    const { body } = await world.call('POST', '/endpoints/heart-ep/jobs', {
      body: {
        properties: {
          inputData: { in: { jobInputType: 'UriFolder', uri: inputUri } },
          ...(outputUri && { outputData: { out: { jobOutputType: 'UriFile', uri: outputUri } } }),
        },
      },
    });
    return (body as { name: string }).name;
  };

  it('when nothing refers to it, and a second time nothing happens', async () => {
    await invoke('azureml://datastores/workspaceblobstore/paths/in/');
    expect([(await remove('MORE')).status, (await get('more')).status, (await remove('more')).status]).toEqual([
      200, 404, 204,
    ]);
    const answer = await world.call('PUT', `${WORKSPACE}/data/d/versions/1`, {
      body: { properties: { dataType: 'uri_folder', dataUri: `${uri}/x/` } },
    });
    expect(answer.status).toBe(403);
    expect((await put('more', { containerName: 'data' })).status).toBe(201);
  });

  it.each(['input', 'output'])('not while a job has its %s there', async (role) => {
    const other = 'azureml://datastores/workspaceblobstore/paths/in/';
    const job = role === 'input' ? await invoke(`${uri}/in/`) : await invoke(other, `${uri}/out/p.csv`);
    expect(await refusal()).toBe(`Datastore 'More' is used by job '${job}', which has not ended.`);
    await endJob(world, job, { state: 'failed', reason: { code: 'Odd', message: 'It was odd.' } });
    expect((await remove('more')).status).toBe(200);
  });

  it.each(['input', 'output'])('not while a step of a pipeline has its %s there', async (role) => {
    const step =
      role === 'input'
        ? { inputs: { data: { from: 'place', type: 'uri_folder', uri: `${uri}/in/` } as const }, outputs: {} }
        : { outputs: { out: { type: 'uri_folder', uri: `${uri}/out/` } as const } };
    await world.pipelines.create(pipelineSpec('piped', { outputs: {} }, step));
    expect(await refusal()).toBe("Datastore 'More' is used by job 'piped', which has not ended.");
    await world.pipelines.transition('piped', ({ name, createdAt, cancelRequested }) => ({
      ...{ state: 'completed', name, createdAt, cancelRequested, startedAt: null, endedAt: createdAt },
    }));
    expect((await remove('more')).status).toBe(200);
  });

  it('not while there is data in it', async () => {
    const properties = { dataType: 'uri_folder', dataUri: `${uri}/x/` };
    expect((await world.call('PUT', `${WORKSPACE}/data/it/versions/1`, { body: { properties } })).status).toBe(201);
    expect(await refusal()).toBe("Datastore 'More' is used by data asset 'it' version '1'.");
  });

  it('not while a deployment watches it', async () => {
    const watch = JSON.stringify({ datastore: 'more', prefix: 'in' });
    const answer = await world.call('PUT', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/green`, {
      body: {
        properties: {
          model: { assetId: `${WORKSPACE}/models/heart/versions/1` },
          properties: { 'batchpoint.watch': watch },
        },
      },
    });
    expect(answer.status).toBe(201);
    expect(await refusal()).toBe(
      "Datastore 'More' is used by deployment 'green' of endpoint 'heart-ep', which watches it.",
    );
  });

  it('not in another state than If-Match names', async () => {
    expect(errorOf(await remove('more', { 'if-match': '"other"' }))).toMatchObject({ status: 412 });
    const { headers } = await get('more');
    expect((await remove('more', { 'if-match': headers.get('etag') ?? '' })).status).toBe(200);
  });
});

it('a made datastore hands out no secret of an account that the app cannot sign for', async () => {
  await put('more');
  const answer = await world.call('POST', `${WORKSPACE}/datastores/more/listSecrets`);
  expect(errorOf(answer)).toMatchObject({ status: 409, code: 'CredentialsNotAvailable' });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { deployHeart, WORKSPACE, worldMaker, type World } from './api-world.ts';

/** What the app and its host keep is reached by no form of a URI, for no use, although the account is a listed one (S4.1). */

const freshWorld = worldMaker();
let world: World;

beforeAll(async () => {
  world = await freshWorld({
    open: (name, { account, container }) =>
      account === 'acct'
        ? {
            address: { name, account, container, endpoint: 'https://acct.blob.core.windows.net' },
            blobs: world.dataBlobs,
          }
        : undefined,
  });
  await deployHeart(world);
});

const containers = [
  'batchpoint-jobs',
  'batchpoint-registry',
  'batchpoint-models',
  'azure-webjobs-hosts',
  'azure-webjobs-secrets',
  'app-package-batchpoint',
  'scm-releases',
  'function-releases',
  'hub-leases',
  'hub-applease',
  'hub-largemessages',
  '$root',
  '$logs',
  '$web',
  '$blobchangefeed',
];

const forms: readonly ((container: string) => string)[] = [
  (container) => `https://acct.blob.core.windows.net/${container}/x`,
  (container) => `https://ACCT.BLOB.CORE.WINDOWS.NET/${container}/x`,
  (container) => `https://acct.dfs.core.windows.net/${container}/x`,
  (container) => `https://acct.blob.core.windows.net/${encodeURIComponent(container).replaceAll('-', '%2d')}/x`,
  (container) => `https://acct.blob.core.windows.net/data/../${container}/x`,
  (container) => `https://acct.blob.core.windows.net/data/%2e%2e/${container}/x`,
  (container) => `https://acct.blob.core.windows.net/data/..%2f${container}/x`,
  (container) => `wasbs://${container}@acct.blob.core.windows.net/x`,
  (container) => `abfss://${container}@acct.dfs.core.windows.net/x`,
  (container) => `azureml://datastores/${container}/paths/x`,
  (container) => `azureml://datastores/workspaceblobstore/paths/../${container}/x`,
  (container) => `azureml:/${WORKSPACE}/datastores/workspaceblobstore/paths/..%2F${container}/x`,
];

const heart = 'azureml://datastores/workspaceblobstore/paths/heart/';
const invoke = (input: string, output: string) =>
  world.call('POST', '/endpoints/heart-ep/jobs', {
    body: {
      properties: {
        inputData: { in: { jobInputType: 'UriFolder', uri: input } },
        outputData: { out: { jobOutputType: 'UriFile', uri: output } },
      },
    },
  });
const asset = (kind: string, properties: object) =>
  world.call('PUT', `${WORKSPACE}/${kind}/own/versions/1`, { body: { properties } });
const command = (properties: object) =>
  world.call('PUT', `${WORKSPACE}/jobs/own`, {
    body: {
      properties: {
        jobType: 'Command',
        command: 'true',
        environmentId: `${WORKSPACE}/environments/e/versions/1`,
        ...properties,
      },
    },
  });

describe.each(containers)('container %s', (container) => {
  it('is no input, output, data, model, code, or place of a pipeline', async () => {
    const before = world.writes.length;
    for (const form of forms) {
      const uri = form(container);
      const answers = {
        input: await invoke(uri, `${heart}p.csv`),
        output: await invoke(heart, uri),
        data: await asset('data', { dataType: 'uri_folder', dataUri: uri }),
        model: await asset('models', { modelUri: uri }),
        code: await asset('codes', { codeUri: uri }),
        'input of a command': await command({ inputs: { in: { jobInputType: 'uri_folder', uri } } }),
        'output of a command': await command({ outputs: { out: { jobOutputType: 'uri_folder', uri } } }),
      };
      for (const [use, { status }] of Object.entries(answers))
        expect([uri, use, [400, 403].includes(status)]).toEqual([uri, use, true]);
    }
    expect(world.writes).toHaveLength(before);
  });

  it('can be no datastore, and so nothing is uploaded to it', async () => {
    const before = world.writes.length;
    const made = await world.call('PUT', `${WORKSPACE}/datastores/own`, {
      body: { properties: { datastoreType: 'AzureBlob', accountName: 'acct', containerName: container } },
    });
    expect(made.status).toBe(400);
    expect(world.writes).toHaveLength(before);
  });

  it('is nothing that a deployment could watch', async () => {
    const answer = await world.call('PUT', `${WORKSPACE}/batchEndpoints/heart-ep/deployments/watching`, {
      body: {
        properties: {
          model: { assetId: 'azureml:heart:1' },
          properties: { 'batchpoint.watch': JSON.stringify({ container, prefix: 'x' }) },
        },
      },
    });
    expect(answer.status).toBe(400);
  });

  it('has no log of a job', async () => {
    for (const path of [container, `..%2f${container}`])
      expect((await world.call('GET', `/logs/${path}/user_logs/std_log.txt`)).status).toBeGreaterThanOrEqual(400);
  });
});

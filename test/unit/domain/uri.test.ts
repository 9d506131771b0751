import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../shared/domain/errors.ts';
import { badBlobName, dataUri, parseDataUri, type UriRules } from '../../../shared/domain/uri.ts';

const rules: UriRules = {
  workspace: { subscriptionId: 'SUB', resourceGroup: 'rg', workspace: 'ws' },
  datastores: [
    { name: 'workspaceblobstore', account: 'acct', container: 'data', endpoint: 'https://acct.blob.core.windows.net' },
    {
      name: 'local',
      account: 'devstoreaccount1',
      container: 'lake',
      endpoint: 'http://127.0.0.1:10000/devstoreaccount1',
    },
  ],
};

const parse = (text: string) => parseDataUri(text, rules, 'properties.inputData.x.uri');

const statusOf = (text: string): number => {
  try {
    parse(text);
    return 200;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    expect(error.target).toBe('properties.inputData.x.uri');
    return error.status;
  }
};

describe('a data URI', () => {
  const inData = (path: string) => ({ datastore: 'workspaceblobstore', container: 'data', path });
  it.each([
    ['azureml://datastores/workspaceblobstore/paths/heart/', inData('heart/')],
    ['azureml://datastores/WorkspaceBlobStore/paths/a/b.csv', inData('a/b.csv')],
    ['azureml://datastores/workspaceblobstore/paths/', inData('')],
    ['azureml://datastores/workspaceblobstore/paths', inData('')],
    ['azureml://datastores/workspaceblobstore/paths/a%20b/%C3%BC.csv', inData('a b/ü.csv')],
    ['azureml://subscriptions/sub/resourceGroups/RG/workspaces/WS/datastores/workspaceblobstore/paths/x', inData('x')],
    [
      'azureml://subscriptions/sub/resourcegroups/rg/workspaces/ws/datastores/local/paths/x',
      { datastore: 'local', container: 'lake', path: 'x' },
    ],
    [
      'azureml:/subscriptions/SUB/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws/datastores/workspaceblobstore/paths/p/q',
      inData('p/q'),
    ],
    [
      '/subscriptions/SUB/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws/datastores/workspaceblobstore/paths/p',
      inData('p'),
    ],
    ['https://acct.blob.core.windows.net/data/heart', inData('heart')],
    ['https://ACCT.blob.core.windows.net/data/heart', inData('heart')],
    ['https://acct.dfs.core.windows.net/data/heart', inData('heart')],
    ['https://acct.blob.core.windows.net/data', inData('')],
    ['wasbs://data@acct.blob.core.windows.net/heart', inData('heart')],
    ['abfss://data@acct.dfs.core.windows.net/heart/x.csv', inData('heart/x.csv')],
    ['http://127.0.0.1:10000/devstoreaccount1/lake/x', { datastore: 'local', container: 'lake', path: 'x' }],
  ])('%s is a place in a datastore', (text, place) => {
    expect(parse(text)).toEqual(place);
  });

  it.each([
    'https://acct.blob.core.windows.net@evil.test/data/x',
    'https://evil.test/acct.blob.core.windows.net/data/x',
    'https://acct.blob.core.windows.net:444/data/x',
    'https://acct.blob.core.windows.net./data/x',
    'https://acct-secondary.blob.core.windows.net/data/x',
    'https://other.blob.core.windows.net/data/x',
    'https://acct.blob.core.windows.net/data2/x',
    'https://acct.blob.core.windows.net/azure-webjobs-secrets/x',
    'https://acct.blob.core.windows.net/',
    'http://acct.blob.core.windows.net/data/x',
    'http://127.0.0.1:10000/devstoreaccount2/lake/x',
    'http://127.0.0.1:10000/devstoreaccount1/batchpoint-models/x',
    'http://169.254.169.254/data/x',
    'abfss://other@acct.dfs.core.windows.net/x',
    'azureml://datastores/unknown/paths/x',
    'azureml://subscriptions/other/resourcegroups/rg/workspaces/ws/datastores/workspaceblobstore/paths/x',
  ])('%s leads elsewhere: 403', (text) => {
    expect(statusOf(text)).toBe(403);
  });

  it.each([
    '',
    'heart',
    'ftp://acct.blob.core.windows.net/data/x',
    'file:///etc/passwd',
    'https://evil.test\\.blob.core.windows.net/data/x',
    'https://acct.blob.core.windows.net/data/a/../b',
    'https://acct.blob.core.windows.net/data/a/%2e%2e/%2e%2e/b',
    'https://acct.blob.core.windows.net/data/a%2fb',
    'https://acct.blob.core.windows.net/data/a%5cb',
    'https://acct.blob.core.windows.net/data/a//b',
    'https://acct.blob.core.windows.net/data/%zz',
    'https://acct.blob.core.windows.net/data/x?comp=list&restype=container',
    'https://acct.blob.core.windows.net/data/x?sig=secret',
    'https://acct.blob.core.windows.net/data/x#y',
    'azureml://datastores/workspaceblobstore/paths/../x',
    'azureml://datastores/workspaceblobstore/x',
    'azureml:heart:1',
    'azureml:heart@latest',
    'azureml://datastores/workspaceblobstore/paths/a\tb',
    `azureml://datastores/workspaceblobstore/paths/${'x'.repeat(2048)}`,
  ])('%s is refused: 400', (text) => {
    expect(statusOf(text)).toBe(400);
  });

  it.each([
    'https://acct.blob.core.windows.net/data/x?sig=topsecret',
    'https://evil.test/data/x?sig=topsecret',
    'azureml://datastores/workspaceblobstore/paths/x?sig=topsecret',
    'azureml://datastores/unknown/paths/x?sig=topsecret',
    'azureml:heart:1?sig=topsecret',
    'nonsense?sig=topsecret',
    'https://user:topsecret@acct.blob.core.windows.net/data/x',
  ])('never repeats the signature in %s', (text) => {
    expect(() => parse(text)).toThrow(/^(?!.*topsecret)/);
  });

  it('is shown in one canonical form that leads to the same place', () => {
    const uri = dataUri({ datastore: 'workspaceblobstore', path: 'a b/ü?#.csv' });
    expect(uri).toBe('azureml://datastores/workspaceblobstore/paths/a%20b/%C3%BC%3F%23.csv');
    expect(parse(uri).path).toBe('a b/ü?#.csv');
  });
});

describe('a blob name', () => {
  it.each(['a', 'a/b.csv', 'dir/', 'ü/日本.csv', '.hidden', 'a..b', `${'x'.repeat(1024)}`])(
    '%s can be addressed',
    (name) => {
      expect(badBlobName(name)).toBeUndefined();
    },
  );
  it.each(['', '.', '..', '\ud800', 'a/../b', './a', 'a//b', '/a', 'a\\b', 'a\nb', `${'x'.repeat(1025)}`])(
    '%j cannot',
    (name) => {
      expect(badBlobName(name)).toBeTypeOf('string');
    },
  );
});

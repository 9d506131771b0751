import { describe, expect, it } from 'vitest';
import { checkOwnAccounts } from '../../shared/own-accounts.ts';
import { readSettings } from '../../shared/settings.ts';

const account = (name: string): string =>
  `DefaultEndpointsProtocol=https;AccountName=${name};AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net`;

const check = (changes: Readonly<Record<string, string>>, data = account('lake')): void => {
  const settings = {
    AzureWebJobsStorage: account('host'),
    BATCHPOINT_STATE: account('state'),
    BATCHPOINT_DATASTORES: JSON.stringify([{ name: 'store', connection: data, container: 'data' }]),
    BATCHPOINT_WORKSPACE: '{"subscriptionId":"s","resourceGroup":"r","workspace":"w","location":"l"}',
    ...changes,
  };
  checkOwnAccounts(readSettings(settings));
};

describe('the accounts of the app', () => {
  it.each<[string, Readonly<Record<string, string>>, string?]>([
    ['its state', {}, account('state')],
    ['its host', {}, account('host')],
    ['its host, in other letters', {}, account('HOST')],
    ['its host, by an address', { AzureWebJobsStorage__blobServiceUri: 'https://lake.blob.core.windows.net' }],
    ['its host, by a name', { AzureWebJobsStorage__accountName: 'lake' }],
    ['its host, among those of requests', { BATCHPOINT_DATASTORE_ACCOUNTS: JSON.stringify([account('host')]) }],
    [
      'its state, among those of requests',
      { BATCHPOINT_DATASTORE_ACCOUNTS: JSON.stringify([account('x'), account('state')]) },
    ],
  ])('hold no data: %s', (_what, changes, data) => {
    expect(() => check(changes, data)).toThrow(/Data needs an account of its own/);
  });

  it.each<[string, Readonly<Record<string, string>>, string?]>([
    ['two, and one for data', {}],
    ['one for both, and one for data', { BATCHPOINT_STATE: account('host') }],
    [
      'development storage for all',
      { AzureWebJobsStorage: 'UseDevelopmentStorage=true', BATCHPOINT_STATE: 'UseDevelopmentStorage=true' },
      'UseDevelopmentStorage=true',
    ],
    ['memory for all', { AzureWebJobsStorage: 'memory', BATCHPOINT_STATE: 'memory' }, 'memory'],
  ])('may be %s', (_what, changes, data) => {
    expect(() => check(changes, data)).not.toThrow();
  });
});

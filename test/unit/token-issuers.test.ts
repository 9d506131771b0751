import { describe, expect, it } from 'vitest';
import { DEV_TENANT } from '../../shared/auth/dev-tokens.ts';
import { readSettings } from '../../shared/settings.ts';
import { trust } from '../../shared/token-issuers.ts';

const ACCOUNT = 'DefaultEndpointsProtocol=https;AccountName=data;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net';
const AZURITE = 'UseDevelopmentStorage=true';
const TENANT = 'A0000000-0000-4000-8000-000000000001';
const CLIENT = 'a0000000-0000-4000-8000-000000000002';
const KEYS = '{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"k"}]}';

const datastores = (connection: string): string => JSON.stringify([{ name: 'store', connection, container: 'data' }]);
const ENTRA = { BATCHPOINT_TENANT_ID: TENANT, BATCHPOINT_CLIENT_ID: CLIENT };
const AZURE = { WEBSITE_INSTANCE_ID: 'azure' };

function start(more: Readonly<Record<string, string>>) {
  const warnings: unknown[] = [];
  const silent = () => undefined;
  const log = { debug: silent, info: silent, error: silent, warn: (fields: object) => warnings.push(fields) };
  const settings = readSettings({
    BATCHPOINT_STATE: ACCOUNT,
    BATCHPOINT_DATASTORES: datastores(ACCOUNT),
    BATCHPOINT_WORKSPACE: '{"subscriptionId":"s","resourceGroup":"r","workspace":"w","location":"l"}',
    ...more,
  });
  return { ...trust(settings, log), warnings };
}

describe('the app', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['nobody could get a token', {}, 'No token issuer is configured'],
    ['in Azure there is no tenant', AZURE, 'set BATCHPOINT_TENANT_ID and BATCHPOINT_CLIENT_ID'],
    ['in Azure the development issuer is set', { ...AZURE, BATCHPOINT_DEV_JWKS: KEYS }, "developer's machine only"],
    ['on Flex Consumption there is no tenant', { WEBSITE_SKU: 'FlexConsumption' }, 'set BATCHPOINT_TENANT_ID and'],
    [
      'on Flex Consumption the development issuer is set',
      { WEBSITE_POD_NAME: 'pod', BATCHPOINT_DEV_JWKS: KEYS },
      "developer's machine only",
    ],
    [
      'in Azure it is set beside a tenant',
      { ...AZURE, ...ENTRA, BATCHPOINT_DEV_JWKS: KEYS },
      "developer's machine only",
    ],
    ['a tenant has no client id', { BATCHPOINT_TENANT_ID: TENANT }, 'set both or neither'],
    ['a client id has no tenant', { BATCHPOINT_CLIENT_ID: CLIENT, BATCHPOINT_DEV_JWKS: KEYS }, 'set both or neither'],
    [
      'it has two proofs of who it is',
      { ...ENTRA, BATCHPOINT_CLIENT_SECRET: 's', BATCHPOINT_CLIENT_CERTIFICATE: '/c.pem' },
      'set one of them',
    ],
    [
      'in Azure the access of callers would be kept without a vault',
      { ...AZURE, ...ENTRA, BATCHPOINT_CLIENT_SECRET: 's' },
      'set BATCHPOINT_VAULT_KEY',
    ],
    ['a tenant meets the development issuer', { ...ENTRA, BATCHPOINT_DEV_JWKS: KEYS }, 'exclude each other'],
    [
      'a tenant meets the host on Azurite',
      { ...ENTRA, AzureWebJobsStorage: AZURITE },
      'AzureWebJobsStorage is development',
    ],
    ['a tenant meets a state on Azurite', { ...ENTRA, BATCHPOINT_STATE: AZURITE }, 'BATCHPOINT_STATE is development'],
    [
      'a tenant meets the host on this machine by address',
      { ...ENTRA, AzureWebJobsStorage__blobServiceUri: 'https://127.0.0.1:10000/x' },
      'AzureWebJobsStorage is development',
    ],
    [
      'a tenant meets a datastore on this machine by address',
      { ...ENTRA, BATCHPOINT_DATASTORES: datastores('https://localhost:10000/x') },
      'BATCHPOINT_DATASTORES is development',
    ],
    [
      'a tenant meets a datastore on Azurite',
      {
        ...ENTRA,
        BATCHPOINT_DATASTORES: datastores('AccountName=devstoreaccount1;BlobEndpoint=http://10.0.0.1:10000/x'),
      },
      'BATCHPOINT_DATASTORES is development',
    ],
    [
      'a tenant meets an account on this machine',
      { ...ENTRA, BATCHPOINT_DATASTORE_ACCOUNTS: '["AccountName=a;BlobEndpoint=http://127.0.0.1:10000/a"]' },
      'BATCHPOINT_DATASTORE_ACCOUNTS is development',
    ],
  ])('does not start when %s', (_why, settings, message) => {
    expect(() => start(settings)).toThrow(message);
  });

  it('starts with a tenant and says where to sign in', () => {
    const { tenantId, authorizationUri, warnings } = start({ ...AZURE, ...ENTRA });
    expect({ tenantId, authorizationUri, warnings }).toEqual({
      tenantId: TENANT.toLowerCase(),
      authorizationUri: `https://login.microsoftonline.com/${TENANT.toLowerCase()}`,
      warnings: [],
    });
  });

  it('starts in another cloud, and logs that tokens for other services are taken', () => {
    const more = {
      BATCHPOINT_AUTHORITY: 'https://login.microsoftonline.us/',
      BATCHPOINT_ACCEPT_AUDIENCES: 'azureml, arm',
    };
    const { authorizationUri, warnings } = start({ ...ENTRA, ...more });
    expect({ authorizationUri, warnings }).toEqual({
      authorizationUri: `https://login.microsoftonline.us/${TENANT.toLowerCase()}`,
      warnings: [{ accepted: ['azureml', 'arm'] }],
    });
  });

  it('starts with the development issuer', () => {
    const { tenantId, authorizationUri } = start({ BATCHPOINT_STATE: AZURITE, BATCHPOINT_DEV_JWKS: KEYS });
    expect({ tenantId, authorizationUri }).toEqual({ tenantId: DEV_TENANT, authorizationUri: undefined });
  });

  it.each([
    ['BATCHPOINT_TENANT_ID', 'common'],
    ['BATCHPOINT_CLIENT_ID', 'api://app'],
    ['BATCHPOINT_ACCEPT_AUDIENCES', 'azureml,graph'],
    ['BATCHPOINT_AUDIENCES', 'https://batch.contoso.com,https://ml.azure.com'],
    ['BATCHPOINT_AUDIENCES', 'https://management.azure.com/'],
    ['BATCHPOINT_AUDIENCES', 'https://storage.azure.com'],
    ['BATCHPOINT_AUDIENCES', 'https://graph.microsoft.com'],
    ['BATCHPOINT_AUDIENCES', 'https://management.core.windows.net/'],
    ['BATCHPOINT_AUTHORITY', 'http://login.contoso.com'],
    ['BATCHPOINT_AUTHORITY', 'http://127.0.0.1.contoso.com'],
    ['BATCHPOINT_AUTHORITY', 'login'],
  ])('names %s=%s as wrong', (name, value) => {
    expect(() => start({ ...ENTRA, [name]: value })).toThrow(name);
  });

  it('takes its own domain as an audience', () => {
    expect(start({ ...ENTRA, BATCHPOINT_AUDIENCES: 'https://batch.azurewebsites.net, api://batch' }).warnings).toEqual(
      [],
    );
  });
});

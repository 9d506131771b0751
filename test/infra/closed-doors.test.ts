import { beforeAll, describe, expect, it } from 'vitest';
import { objectOf, readTemplates, sourceOf, templateAt, type Template } from './templates.ts';

let templates: ReadonlyMap<string, Template>;
beforeAll(async () => {
  templates = readTemplates();
});

const paramsOf = (path: string, module: string) => templateAt(templates, path).modules[module]?.params;

/** What pycep makes of `condition ? yes : no`. */
const either = (condition: string, yes: unknown, no: unknown) => ({
  operator: { type: 'conditional', operands: { condition, true_value: yes, false_value: no } },
});

describe('whatever is deployed', () => {
  it.each(['state', 'data'])(
    'the %s account has no shared keys, no public blobs and nothing below TLS 1.2',
    (account) => {
      expect(paramsOf('modules/storage.bicep', account)).toMatchObject({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        allowCrossTenantReplication: false,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
      });
    },
  );

  it('the vault goes by roles, keeps what is deleted, and lends its key for wrapping alone', () => {
    expect(paramsOf('modules/vault.bicep', 'vault')).toMatchObject({
      enableRbacAuthorization: true,
      enablePurgeProtection: true,
      enableVaultForDeployment: false,
      enableVaultForTemplateDeployment: false,
      enableVaultForDiskEncryption: false,
      keys: [{ keyOps: ['wrapKey', 'unwrapKey'] }],
    });
  });

  it('the app speaks HTTPS alone and takes no password for deployment', () => {
    expect(paramsOf('modules/app.bicep', 'site')).toMatchObject({
      httpsOnly: true,
      basicPublishingCredentialsPolicies: [
        { name: 'ftp', allow: false },
        { name: 'scm', allow: false },
      ],
    });
    expect(objectOf(templateAt(templates, 'modules/app.bicep'), 'siteConfig')).toMatchObject({
      minTlsVersion: '1.2',
      scmMinTlsVersion: '1.2',
      ftpsState: 'Disabled',
    });
  });

  it('telemetry and images need a role', () => {
    expect(paramsOf('modules/monitoring.bicep', 'insights')).toMatchObject({ disableLocalAuth: true });
    expect(paramsOf('modules/registry.bicep', 'registry')).toMatchObject({
      acrAdminUserEnabled: false,
      anonymousPullEnabled: false,
    });
  });

  it('the admin routes of the host are closed after it', async () => {
    expect(await sourceOf('scripts/after-provision.sh')).toContain(
      'properties.functionsRuntimeAdminIsolationEnabled=true',
    );
  });
});

describe('a private network', () => {
  it('closes data, vault and app to the internet', () => {
    expect(paramsOf('modules/storage.bicep', 'data')).toMatchObject({
      publicNetworkAccess: either('privateNetwork', 'Disabled', 'Enabled'),
      networkAcls: either('privateNetwork', 'closed', 'open'),
    });
    expect(paramsOf('modules/storage.bicep', 'state')).toMatchObject({
      networkAcls: either('privateNetwork', 'closed', 'open'),
    });
    expect(objectOf(templateAt(templates, 'modules/storage.bicep'), 'closed')).toMatchObject({ defaultAction: 'Deny' });
    for (const [path, module] of [
      ['modules/vault.bicep', 'vault'],
      ['modules/app.bicep', 'site'],
    ] as const)
      expect(paramsOf(path, module)).toMatchObject({
        publicNetworkAccess: either('privateNetwork', 'Disabled', 'Enabled'),
      });
  });

  it('has an endpoint for every service that the app calls, and for the app', async () => {
    const endpoints = templateAt(templates, 'modules/private-endpoints.bicep').variables['endpoints']?.value;
    expect(endpoints).toMatchObject([
      { serviceId: 'stateAccountId', group: 'blob' },
      { serviceId: 'stateAccountId', group: 'queue' },
      { serviceId: 'stateAccountId', group: 'table' },
      { serviceId: 'dataAccountId', group: 'blob' },
      { serviceId: 'vaultId', group: 'vault' },
      { serviceId: 'appId', group: 'sites' },
    ]);
    const main = await sourceOf('main.bicep');
    for (const module of ['network', 'private-endpoints'])
      expect(main).toContain(`'modules/${module}.bicep' = if (privateNetwork)`);
  });
});

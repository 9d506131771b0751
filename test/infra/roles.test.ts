import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../cli/stack.ts';
import { APP_ROLES } from '../../shared/auth/roles.ts';
import { readTemplates, templateAt, type Template } from './templates.ts';

/** Azure's built-in roles by the name that the template gives their variable. */
const BUILT_IN: Readonly<Record<string, string>> = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
  storageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a',
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  keyVaultCryptoServiceEncryptionUser: 'e147488a-f6f5-4113-8e2d-b22465e65bf6',
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d',
};

const Assignment = z.object({
  scope: z.string(),
  properties: z.object({
    principalId: z.string(),
    principalType: z.literal('ServicePrincipal'),
    description: z.string().min(20),
    roleDefinitionId: z.object({
      function: z.object({ parameters: z.object({ resource_name_1: z.string() }) }),
    }),
  }),
});

let roles: Template;
beforeAll(async () => {
  roles = templateAt(readTemplates(), 'modules/roles.bicep');
});

describe('rights in Azure', () => {
  it('are built-in roles under their own names', () => {
    const named = Object.entries(roles.variables).map(([name, { value }]) => [name, value]);
    expect(Object.fromEntries(named)).toEqual(BUILT_IN);
  });

  it('are these and no more, each with a reason', () => {
    const given = Object.values(roles.resources)
      .filter(({ existing }) => !existing)
      .map(({ config }) => {
        const { scope, properties } = Assignment.parse(config);
        return [properties.principalId, scope, properties.roleDefinitionId.function.parameters.resource_name_1];
      });
    expect(given).toEqual([
      ['appPrincipalId', 'state', 'storageBlobDataOwner'],
      ['appPrincipalId', 'state', 'storageQueueDataContributor'],
      ['appPrincipalId', 'state', 'storageTableDataContributor'],
      ['appPrincipalId', 'data', 'storageBlobDataContributor'],
      ['appPrincipalId', 'sealingKey', 'keyVaultCryptoServiceEncryptionUser'],
      ['appPrincipalId', 'insights', 'monitoringMetricsPublisher'],
      ['appPrincipalId', 'registry', 'acrPull'],
      ['eventsPrincipalId', 'eventsQueue', 'storageQueueDataMessageSender'],
      ['eventsPrincipalId', 'deadLetters', 'storageBlobDataContributor'],
    ]);
  });

  it('are in the table of the deployment page', async () => {
    const page = await readFile(join(PROJECT, 'docs/deploy.md'), 'utf8');
    const words = page.replaceAll(' ', '').toLowerCase();
    expect(Object.keys(BUILT_IN).filter((name) => !words.includes(name.toLowerCase()))).toEqual([]);
  });
});

describe('the app registration', () => {
  const Registration = z.object({
    signInAudience: z.literal('AzureADMyOrg'),
    requiredResourceAccess: z.unknown(),
    api: z.object({ oauth2PermissionScopes: z.array(z.object({ id: z.guid(), value: z.string() })) }),
    appRoles: z.array(z.object({ id: z.guid(), value: z.string(), allowedMemberTypes: z.array(z.string()) })),
  });

  it('has the roles that the app knows, for people and for apps, and the scope that it asks of people', async () => {
    const text = await readFile(join(PROJECT, 'infra/entra/registration.json'), 'utf8');
    const { api, appRoles, requiredResourceAccess } = Registration.parse(JSON.parse(text));
    expect(appRoles.map(({ value }) => value)).toEqual(Object.values(APP_ROLES));
    expect(appRoles.flatMap(({ allowedMemberTypes }) => allowedMemberTypes)).toEqual(
      appRoles.flatMap(() => ['User', 'Application']),
    );
    expect(api.oauth2PermissionScopes.map(({ value }) => value)).toEqual(['user_impersonation']);
    // Azure Storage's delegated user_impersonation, which jobs under their invoker's identity need, and nothing else.
    expect(requiredResourceAccess).toEqual([
      {
        resourceAppId: 'e406a681-f3d4-42a8-90b6-c2b029497af1',
        resourceAccess: [{ id: '03e0da56-190b-40ad-a80c-ea378c433f7f', type: 'Scope' }],
      },
    ]);
    expect(new Set([...api.oauth2PermissionScopes, ...appRoles].map(({ id }) => id)).size).toBe(5);
  });
});
